#include <math.h>
#include <string.h>

#include <algorithm>
#include <vector>

#include "double_math.h"
#include "gemm.h"
#include "softmax_loss.h"
#include "time_sums.h"

namespace gatelm {
namespace {

// Panels of rows whose logits a thread makes before it reads them.
constexpr long kPanels = 4;
// Exponentials of logits this far from the largest are still numbers with all their digits.
constexpr float kFar = 60;

// A row of logits becomes its dLogits, but for the target's, which is 0 and of another kind (p − 1): it is the result, and
// is added to the products by itself, in float32.
float finish_row(const SoftmaxLoss& job, long m, float scale, float* row) {
  const int32_t target = job.targets[m];
  const double logit = row[target];
  float max;
  const double sum = isa().exp_row_in_place(job.vocabulary, row, &max);
  const double exponential = row[target];
  // From the very number in the sum, where that is exact: a probability near 1 keeps its small loss.
  const double loss = max - logit > kFar ? max - logit + logarithm(sum) : logarithm(sum / exponential);
  job.losses[m] = static_cast<float>(loss);
  isa().scale(job.vocabulary, static_cast<float>(scale / sum), row);
  row[target] = 0;
  return static_cast<float>((exponential / sum - 1) * scale);
}

}  // namespace

// Each thread makes all of its own rows: logits = h·Wᵀ + b, dLogits in their place, dh = dLogits·W. Then all threads make
// dW = dLogitsᵀ·h.
void softmax_loss_backward_few_words(const SoftmaxLoss& job, float scale, float* dh, float* dw, float* db) {
  const long M = job.rows, H = job.hidden, V = job.vocabulary;
  const TeamTurn turn;
  const Gemm gemm(job.bf16);
  const int mr = gemm.panel_rows(M);
  const auto a_panels = [&](Workspace::Slot slot, long depth) {
    return gemm.a_panels(Workspace::bytes(slot, gemm.bytes(gemm.a_panels(nullptr, M, mr, depth))), M, mr, depth);
  };
  const auto b_panels = [&](Workspace::Slot slot, long columns, long depth) {
    return gemm.b_panels(Workspace::bytes(slot, packed_b_bytes(gemm, columns, depth)), columns, depth);
  };
  const Panels h = a_panels(Workspace::kStepA, H), d_logits = a_panels(Workspace::kStepB, V);
  const Panels w_by_unit = b_panels(Workspace::kPackedWeights, V, H), w_by_word = b_panels(Workspace::kProjected, H, V);
  float* rows = Workspace::floats(Workspace::kRows, M * V);
  std::vector<float> targets(M);

  run_team([&](const Member& member) {
    pack_all_b(gemm, transposed(job.w, H), V, H, const_cast<char*>(w_by_unit.data), member);
    pack_all_b(gemm, row_major(job.w, H), H, V, const_cast<char*>(w_by_word.data), member);
    member.barrier.wait();
    const Range mine = share(h.count, member);
    for (long begin = mine.begin; begin < mine.end; begin += kPanels) {
      const Range panels{begin, std::min(begin + kPanels, mine.end)};
      const Range lines{panels.begin * mr, std::min(panels.end * mr, M)};
      for (long p = panels.begin; p < panels.end; p++) gemm.pack_a(h, p, row_major(job.h, H), M, H);
      gemm.multiply(h, panels, w_by_unit, {0, w_by_unit.count}, M, V, H, rows, V, false, job.b);
      for (long m = lines.begin; m < lines.end; m++) targets[m] = finish_row(job, m, scale, rows + m * V);
      for (long p = panels.begin; p < panels.end; p++) gemm.pack_a(d_logits, p, row_major(rows, V), M, V);
      gemm.multiply(d_logits, panels, w_by_word, {0, w_by_word.count}, M, H, V, dh, H, false);
      for (long m = lines.begin; m < lines.end; m++) isa().add_scaled(H, job.w + job.targets[m] * H, targets[m], dh + m * H);
    }
    member.barrier.wait();

    sum_columns(rows, M, V, V, db, member);
    multiply(gemm, {V, H, M, transposed(rows, V), row_major(job.h, H), dw, H}, member);
    const Range words = share(V, member);
    for (long m = 0; m < M; m++) {
      const long target = job.targets[m];
      if (target < words.begin || target >= words.end) continue;
      isa().add_scaled(H, job.h + m * H, targets[m], dw + target * H);
      db[target] += targets[m];
    }
  });
}

}  // namespace gatelm
