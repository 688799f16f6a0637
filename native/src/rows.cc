#include "rows.h"

#include <string.h>

#include <unordered_map>

#include "isa.h"
#include "thread_pool.h"

namespace gatelm {

RowIndex index_rows(const int32_t* ids, long count) {
  RowIndex index;
  index.position.resize(count);
  std::unordered_map<int32_t, int32_t> seen;
  seen.reserve(count);
  for (long m = 0; m < count; m++) {
    const auto [entry, is_new] = seen.emplace(ids[m], static_cast<int32_t>(index.ids.size()));
    if (is_new) index.ids.push_back(ids[m]);
    index.position[m] = entry->second;
  }
  return index;
}

// Threads share the columns, so that equal ids are summed in the order of their appearance.
void sum_rows(const RowIndex& index, const float* rows, long width, float* out) {
  run_team([&](const Member& member) {
    const Range columns = share(width, member, 16);
    const long here = columns.end - columns.begin;
    if (here <= 0) return;
    for (size_t u = 0; u < index.ids.size(); u++) memset(out + u * width + columns.begin, 0, sizeof(float) * here);
    for (size_t m = 0; m < index.position.size(); m++) {
      isa().add(here, rows + m * width + columns.begin, out + index.position[m] * width + columns.begin);
    }
  });
}

void add_rows(float* table, const int32_t* ids, const float* rows, long count, long width, float factor) {
  run_team([&](const Member& member) {
    const Range columns = share(width, member, 16);
    for (long m = 0; m < count && columns.begin < columns.end; m++) {
      isa().add_scaled(columns.end - columns.begin, rows + m * width + columns.begin, factor,
                       table + ids[m] * width + columns.begin);
    }
  });
}

}  // namespace gatelm
