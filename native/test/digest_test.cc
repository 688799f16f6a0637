// One number over the bits of all that the kernels make of fixed inputs. run.sh compares those of different compilers.
#include <algorithm>

#include "check.h"
#include "digest.h"
#include "double_math.h"
#include "gemm.h"
#include "isa.h"
#include "softmax_loss.h"
#include "tests.h"

using namespace gatelm;

namespace gatelm_test {
namespace {

void add_products(Digest& digest) {
  const long shapes[][3] = {{1, 1, 1}, {29, 70, 3}, {13, 33, 64}, {43, 35, 1411}, {7, 100, 650}};
  for (const auto& [rows, columns, depth] : shapes) {
    for (const bool bf16 : {false, true}) {
      const Floats a = random_floats(rows * depth, 1), b = random_floats(depth * columns, 2), bias = random_floats(columns, 3);
      Floats c(rows * columns);
      const Gemm gemm(bf16);
      for (const bool accumulate : {false, true}) {
        const Product product{rows,      columns, depth,      row_major(a.data(), depth), transposed(b.data(), depth),
                              c.data(),  columns, accumulate, nullptr,                    bias.data()};
        const TeamTurn turn;
        run_team([&](const Member& member) { multiply(gemm, product, member); });
      }
      digest.add(c);
    }
  }
}

void add_softmax(Digest& digest, long M, long H, long V, bool bf16) {
  const Floats h = random_floats(M * H, 1), w = random_floats(V * H, 2), b = random_floats(V, 3);
  std::vector<int32_t> targets(M);
  for (long m = 0; m < M; m++) targets[m] = static_cast<int32_t>((m * 7919 + V - 1) % V);
  Floats losses(M), alone(M), dh(M * H), dw(V * H), db(V), scores(M * V);
  SoftmaxLoss job{M, H, V, bf16, h.data(), w.data(), b.data(), targets.data(), losses.data()};
  softmax_loss_backward(job, 0.01f, dh.data(), dw.data(), db.data());
  job.losses = alone.data();
  softmax_loss(job);
  logits(job, scores.data());
  for (const Floats* made : {&losses, &alone, &dh, &dw, &db, &scores}) digest.add(*made);
}

void add_updates(Digest& digest) {
  constexpr long kCount = 1003;
  const Floats gradient = random_floats(kCount, 1), trained = random_floats(kCount, 2);
  Floats roots = random_floats(kCount, 3), value = random_floats(kCount, 4), average = value, m = gradient, v(kCount), y(kCount);
  for (long i = 0; i < kCount; i++) roots[i] = fabsf(roots[i]), v[i] = roots[i];
  isa().sgd(kCount, value.data(), gradient.data(), nullptr, 0.3f, 0.7f, 1e-3f, 0);
  isa().sgd(kCount, value.data(), gradient.data(), average.data(), 0.3f, 0.7f, 1e-3f, 0.1f);
  isa().adam(kCount, value.data(), m.data(), v.data(), gradient.data(), {1e-2f, 0.7f, 0.9f, 0.99f, 1e-8f, 1e-2f, 0, 0.5f, 0.4f});
  isa().adam(kCount, value.data(), m.data(), v.data(), gradient.data(), {1e-2f, 0.7f, 0.9f, 0.99f, 1e-8f, 1e-2f, 1, 0.5f, 0.4f});
  isa().adapt(kCount, value.data(), trained.data(), gradient.data(), roots.data(), 0.1f, 0.2f, 1e-3f);
  isa().adapt(kCount, value.data(), trained.data(), nullptr, nullptr, 0.1f, 0.2f, 1e-3f);
  isa().add_scaled(kCount, gradient.data(), 0.37f, value.data());
  const uint32_t key[4] = {1, 2, 3, 4};
  isa().dropout(5, kCount, gradient.data(), y.data(), key, 1u << 31, 1.7f, 77);
  const double squares = isa().sum_squares(kCount, value.data());
  digest.add(&squares, sizeof squares);
  for (const Floats* made : {&value, &average, &m, &v, &y}) digest.add(*made);
}

void check_double_math() {
  for (int i = -2000; i < 2000; i++) {
    const double x = i * 0.3507, y = exp(i * 0.0531), near = 1 + i * 1e-7;
    expect(fabs(exponential(x) / exp(x) - 1) < 1e-15, "e^" + std::to_string(x));
    for (const double z : {y, near}) {
      expect(z == 1 ? logarithm(z) == 0 : fabs(logarithm(z) / log(z) - 1) < 1e-15, "ln " + std::to_string(z));
    }
  }
  expect(exponential(-INFINITY) == 0 && exponential(INFINITY) == INFINITY && exponential(NAN) != exponential(NAN), "e^±∞");
  expect(logarithm(0) == -INFINITY && logarithm(INFINITY) == INFINITY && logarithm(NAN) != logarithm(NAN), "ln 0, ln ∞");
}

}  // namespace

uint64_t digest_of_kernels() {
  check_double_math();
  Digest digest;
  add_products(digest);
  add_updates(digest);
  for (const bool bf16 : {false, true}) {
    add_softmax(digest, 3, 1, 2, bf16);
    add_softmax(digest, 57, 10, 100, bf16);
    add_softmax(digest, 113, 33, 1040, bf16);
  }
  return digest.value;
}

}  // namespace gatelm_test
