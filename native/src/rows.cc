#include "rows.h"

#include <string.h>

#include "isa.h"
#include "thread_pool.h"

namespace gatelm {

RowIndex index_rows(const int32_t* ids, long count) {
  RowIndex index;
  index.position.resize(count);
  size_t size = 2;
  while (size < 2 * static_cast<size_t>(count)) size *= 2;
  std::vector<int32_t> seen(size, -1);  // where in index.ids: a hash table with open addresses
  for (long m = 0; m < count; m++) {
    size_t slot = static_cast<uint32_t>(ids[m]) * 2654435769u & (size - 1);
    while (seen[slot] >= 0 && index.ids[seen[slot]] != ids[m]) slot = (slot + 1) & (size - 1);
    if (seen[slot] < 0) {
      seen[slot] = static_cast<int32_t>(index.ids.size());
      index.ids.push_back(ids[m]);
    }
    index.position[m] = seen[slot];
  }
  return index;
}

void copy_rows(const float* table, const int32_t* ids, long count, long width, float* out) {
  for (long m = 0; m < count; m++) memcpy(out + m * width, table + ids[m] * width, sizeof(float) * width);
}

// Each thread takes its share of the columns, so that rows are summed in their order.
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
