#include "top_logits.h"

#include <math.h>

#include <algorithm>
#include <functional>
#include <vector>

#include "isa.h"
#include "thread_pool.h"

namespace gatelm {
namespace {

// The largest values so far, sorted.
struct Top {
  const long k;
  float* const values;
  int32_t* const ids;
  long found = 0;

  void offer(float value, long column) {
    if (found == k && !(value > values[k - 1])) return;
    long place = found < k ? found++ : k - 1;
    for (; place > 0 && values[place - 1] < value; place--) {
      values[place] = values[place - 1];
      ids[place] = ids[place - 1];
    }
    values[place] = value;
    ids[place] = static_cast<int32_t>(column);
  }
};

// At least k values of the row are as large as the k-th largest of the largest of its blocks: what is smaller is passed over.
// @param maxima room for one number a block, twice
void top_of_row(const float* row, long columns, long k, float* values, int32_t* ids, float* maxima) {
  const long blocks = columns / kBlockColumns;
  Top top{k, values, ids};
  long column = 0;
  if (blocks >= k) {
    float* sorted = maxima + blocks;
    isa().largest_of_blocks(blocks, row, maxima);
    std::copy(maxima, maxima + blocks, sorted);
    std::nth_element(sorted, sorted + k - 1, sorted + blocks, std::greater<float>());
    const float bound = sorted[k - 1];
    for (long block = 0; block < blocks; block++) {
      if (maxima[block] < bound) continue;
      for (column = block * kBlockColumns; column < (block + 1) * kBlockColumns; column++) {
        if (row[column] >= bound) top.offer(row[column], column);
      }
    }
    column = blocks * kBlockColumns;
  }
  for (; column < columns; column++) top.offer(row[column], column);
  // Values that are not numbers are like nothing: the places that are left are those of the first columns.
  for (long place = top.found; place < k; place++) {
    values[place] = row[place];
    ids[place] = static_cast<int32_t>(place);
  }
}

}  // namespace

void top_logits(const float* logits, long rows, long columns, long k, float* values, int32_t* ids) {
  if (k == 0) return;
  const auto some = [&](Range range) {
    std::vector<float> maxima(2 * (columns / kBlockColumns));
    for (long m = range.begin; m < range.end; m++) {
      top_of_row(logits + m * columns, columns, k, values + m * k, ids + m * k, maxima.data());
    }
  };
  if (rows == 1) return some({0, 1});
  run_team([&](const Member& member) { some(share(rows, member)); });
}

}  // namespace gatelm
