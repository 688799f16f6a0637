// Softmax and cross-entropy against plain loops in double precision.
#include "check.h"
#include "softmax_loss.h"
#include "tests.h"

using namespace gatelm;

namespace gatelm_test {
namespace {

void check_softmax(long M, long H, long V, bool bf16, float spread) {
  const std::string name = std::string(bf16 ? "bf16" : "f32") + " softmax M " + std::to_string(M) + " H " +
                           std::to_string(H) + " V " + std::to_string(V) + " ";
  Floats h = random_floats(M * H, 1), w = random_floats(V * H, 2), b = random_floats(V, 3);
  for (float& value : b) value *= spread;
  std::vector<int32_t> targets(M);
  for (long m = 0; m < M; m++) targets[m] = static_cast<int32_t>((m * 7919 + V - 1) % V);
  const double scale = 1.0 / M;
  std::vector<double> losses(M), dh(M * H), dw(V * H), db(V), scores(M * V);
  for (long m = 0; m < M; m++) {
    double max = -1e300, sum = 0;
    double* row = &scores[m * V];
    for (long v = 0; v < V; v++) {
      row[v] = b[v];
      for (long k = 0; k < H; k++) row[v] += static_cast<double>(h[m * H + k]) * w[v * H + k];
      max = fmax(max, row[v]);
    }
    for (long v = 0; v < V; v++) sum += exp(row[v] - max);
    losses[m] = max + log(sum) - row[targets[m]];
    for (long v = 0; v < V; v++) {
      const double d = (exp(row[v] - max) / sum - (v == targets[m])) * scale;
      db[v] += d;
      for (long k = 0; k < H; k++) {
        dh[m * H + k] += d * w[v * H + k];
        dw[v * H + k] += d * h[m * H + k];
      }
    }
  }

  const double tolerance = bf16 ? 2e-2 : 1e-5;
  Floats actual(M), actual_dh(M * H), actual_dw(V * H), actual_db(V), actual_scores(M * V);
  SoftmaxLoss job{M, H, V, bf16, h.data(), w.data(), b.data(), targets.data(), actual.data()};
  const struct {
    decltype(&softmax_loss_backward) backward;
    const char* name;
  } ways[] = {{softmax_loss_backward_many_words, "many words, "}, {softmax_loss_backward_few_words, "few words, "}};
  for (const auto& [backward, way] : ways) {
    backward(job, static_cast<float>(scale), actual_dh.data(), actual_dw.data(), actual_db.data());
    expect_close(actual, losses, tolerance, name + way + "losses");
    expect_close(actual_dh, dh, tolerance, name + way + "dh");
    expect_close(actual_dw, dw, tolerance, name + way + "dw");
    expect_close(actual_db, db, tolerance, name + way + "db");
  }

  Floats alone(M), packed(packed_output_bytes(H, V, bf16) / 4), from_packed(M);
  job.losses = alone.data();
  softmax_loss(job);
  expect_close(alone, losses, tolerance, name + "losses alone");
  pack_output_weights(w.data(), H, V, bf16, packed.data());
  SoftmaxLoss packed_job{M, H, V, bf16, h.data(), nullptr, b.data(), targets.data(), from_packed.data(), packed.data()};
  softmax_loss(packed_job);
  expect(from_packed == alone, name + "packed: the same bits");
  logits(packed_job, actual_scores.data());
  expect_close(actual_scores, scores, tolerance, name + "logits");
}

}  // namespace

void test_softmax_loss() {
  const long shapes[][3] = {{1, 1, 1}, {1, 5, 7}, {3, 1, 2}, {13, 8, 33}, {57, 10, 100}, {113, 33, 517}, {290, 6, 1040},
                            {40, 36, 90}, {33, 64, 70}};
  for (const auto& [M, H, V] : shapes) {
    for (bool bf16 : {false, true}) {
      check_softmax(M, H, V, bf16, 1);
      check_softmax(M, H, V, bf16, 60);  // scores far apart
    }
  }
}

}  // namespace gatelm_test
