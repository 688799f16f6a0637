// Products of every shape at the edges of panels and blocks, against plain loops.
#include <algorithm>

#include "check.h"
#include "gemm.h"
#include "tests.h"

using namespace gatelm;

namespace gatelm_test {
namespace {

std::vector<double> reference(const Product& p, const Floats& before, bool bf16) {
  std::vector<double> c(p.rows * p.columns);
  const auto at = [&](const MatrixView& view, long row, long column) {
    const float value = view.data[row * view.row_stride + column * view.column_stride];
    return bf16 ? to_bf16(value) : value;
  };
  for (long i = 0; i < p.rows; i++) {
    for (long j = 0; j < p.columns; j++) {
      double sum = p.accumulate ? before[i * p.columns + j] : p.bias ? p.bias[j] : 0;
      for (long k = 0; k < p.depth; k++) sum += static_cast<double>(at(p.a, i, k)) * at(p.b, k, j);
      c[i * p.columns + j] = sum;
    }
  }
  return c;
}

void check_product(long rows, long columns, long depth, int form, bool bf16) {
  const bool a_transposed = form & 1, b_transposed = form & 2, accumulate = form & 4, with_bias = form & 8;
  const Floats a = random_floats(rows * depth, 1), b = random_floats(depth * columns, 2);
  const Floats bias = random_floats(columns, 3), before = random_floats(rows * columns, 4);
  Floats c = before;
  const Product product{rows,
                        columns,
                        depth,
                        a_transposed ? transposed(a.data(), rows) : row_major(a.data(), depth),
                        b_transposed ? transposed(b.data(), depth) : row_major(b.data(), columns),
                        c.data(),
                        columns,
                        accumulate,
                        nullptr,
                        with_bias ? bias.data() : nullptr};
  const Gemm gemm(bf16);
  {
    const TeamTurn turn;
    run_team([&](const Member& member) { multiply(gemm, product, member); });
  }
  const bool rounded = bf16 && isa().bfloat16.max_mr > 0;
  // Sums of float32 carry about √depth roundings of 6e-8.
  expect_close(c, reference(product, before, rounded), 2e-6,
               std::string(bf16 ? "bf16" : "f32") + " product " + std::to_string(rows) + "x" +
                   std::to_string(columns) + "x" + std::to_string(depth) + " form " + std::to_string(form));
}

// A row is the same to the last bit whatever stands beside it: what a model writes does not depend on the others that it
// writes for, and a text may be read in pieces.
void check_rows_alone(long columns, long depth, bool bf16) {
  constexpr long kRows = 40;
  const Floats a = random_floats(kRows * depth, 1), b = random_floats(depth * columns, 2);
  const Gemm gemm(bf16);
  const auto product = [&](long first, long rows) {
    Floats c(rows * columns);
    const TeamTurn turn;
    run_team([&](const Member& member) {
      multiply(gemm, {rows, columns, depth, row_major(a.data() + first * depth, depth), row_major(b.data(), columns), c.data(), columns},
               member);
    });
    return c;
  };
  const Floats all = product(0, kRows);
  for (long rows : {1L, 2L, 3L, 4L, 5L, 9L, 15L, 29L}) {
    const Floats some = product(7, rows);
    expect(std::equal(some.begin(), some.end(), all.begin() + 7 * columns),
           std::string(bf16 ? "bf16" : "f32") + " " + std::to_string(rows) + " rows alone, depth " + std::to_string(depth));
  }
}

}  // namespace

void test_products() {
  for (long depth : {1L, 3L, 64L, 650L, 1411L}) {
    for (bool bf16 : {false, true}) check_rows_alone(70, depth, bf16);
  }
  const long sizes[] = {1, 2, 7, 13, 14, 15, 16, 17, 28, 31, 32, 33, 65};
  int form = 0;
  for (long rows : sizes) {
    for (long columns : sizes) {
      for (long depth : {1L, 2L, 3L, 15L, 16L, 17L, 31L, 33L, 64L}) {
        for (bool bf16 : {false, true}) check_product(rows, columns, depth, form, bf16);
        form = (form + 1) % 16;
      }
    }
  }
  for (int each = 0; each < 16; each++) {
    for (bool bf16 : {false, true}) {
      check_product(29, 70, 705, each, bf16);
      check_product(43, 35, 1411, each, bf16);
    }
  }
}

}  // namespace gatelm_test
