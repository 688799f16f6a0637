// The largest of each row against sorting, with equal numbers and with some that are none.
#include <algorithm>
#include <numeric>

#include "check.h"
#include "tests.h"
#include "top_logits.h"

using namespace gatelm;

namespace gatelm_test {
namespace {

void check_top(long rows, long columns, long k, int levels, bool nan) {
  const std::string name = "top " + std::to_string(k) + " of " + std::to_string(rows) + " x " + std::to_string(columns);
  Floats logits = random_floats(rows * columns, columns + levels);
  for (float& value : logits) {
    if (levels > 0) value = roundf(value * levels);
  }
  if (nan) {
    for (long i = 0; i < rows * columns; i += 3) logits[i] = NAN;
  }
  Floats values(rows * k);
  std::vector<int32_t> ids(rows * k);
  top_logits(logits.data(), rows, columns, k, values.data(), ids.data());
  for (long m = 0; m < rows; m++) {
    const float* row = &logits[m * columns];
    std::vector<int32_t> expected(columns);
    std::iota(expected.begin(), expected.end(), 0);
    std::stable_sort(expected.begin(), expected.end(), [&](int32_t a, int32_t b) { return row[a] > row[b]; });
    for (long place = 0; place < k; place++) {
      const int32_t id = ids[m * k + place];
      if (nan) {  // any of the row will do, in bounds
        expect(id >= 0 && id < columns, name + " with NaN stays in the row");
      } else {
        expect(id == expected[place] && values[m * k + place] == row[id], name + " is what sorting gives");
      }
    }
  }
}

}  // namespace

void test_top_logits() {
  for (const int levels : {0, 3}) {
    check_top(1, 1, 1, levels, false);
    check_top(3, 63, 63, levels, false);
    check_top(5, 64, 1, levels, false);
    check_top(2, 129, 3, levels, false);
    check_top(33, 2600, 40, levels, false);
    check_top(4, 1000, 0, levels, false);
  }
  check_top(3, 700, 40, 0, true);
  check_top(3, 64 * 50, 40, 0, true);
}

}  // namespace gatelm_test
