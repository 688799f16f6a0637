#include "top_logits.h"

#include <math.h>

#include <algorithm>
#include <functional>
#include <vector>

#include "thread_pool.h"

namespace gatelm {
namespace {

// Columns that are looked at together: most blocks have nothing that is large enough.
constexpr long kBlock = 64;
constexpr int kLanes = 16;

// The largest number of a whole block, lane by lane, so that the compiler makes vectors of it.
float largest_of_block(const float* block) {
  float lanes[kLanes];
  std::fill(lanes, lanes + kLanes, -INFINITY);
  for (long i = 0; i < kBlock; i += kLanes) {
    for (int lane = 0; lane < kLanes; lane++) lanes[lane] = std::max(lanes[lane], block[i + lane]);
  }
  return *std::max_element(lanes, lanes + kLanes);
}

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
  const long blocks = columns / kBlock;
  Top top{k, values, ids};
  long column = 0;
  if (blocks >= k) {
    float* sorted = maxima + blocks;
    for (long block = 0; block < blocks; block++) maxima[block] = largest_of_block(row + block * kBlock);
    std::copy(maxima, maxima + blocks, sorted);
    std::nth_element(sorted, sorted + k - 1, sorted + blocks, std::greater<float>());
    const float bound = sorted[k - 1];
    for (long block = 0; block < blocks; block++) {
      if (maxima[block] < bound) continue;
      for (column = block * kBlock; column < (block + 1) * kBlock; column++) {
        if (row[column] >= bound) top.offer(row[column], column);
      }
    }
    column = blocks * kBlock;
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
    std::vector<float> maxima(2 * (columns / kBlock));
    for (long m = range.begin; m < range.end; m++) {
      top_of_row(logits + m * columns, columns, k, values + m * k, ids + m * k, maxima.data());
    }
  };
  if (rows == 1) return some({0, 1});
  run_team([&](const Member& member) { some(share(rows, member)); });
}

}  // namespace gatelm
