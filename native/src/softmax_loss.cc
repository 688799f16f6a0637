#include "softmax_loss.h"

#include <math.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "double_math.h"
#include "gemm.h"

namespace gatelm {
namespace {

// Rows and words whose logits a thread holds at once: they fit its cache.
constexpr long kRows = 280;
constexpr long kWords = 512;

// Softmax of a row, word block by word block: Σ exp(x − max) of what was seen.
struct RunningSum {
  float max = -std::numeric_limits<float>::infinity();
  double sum = 0;
  float target = 0;  // the target's logit, where it was seen

  void add(float other_max, double other_sum) {
    if (other_sum == 0) return;  // a thread without words
    if (other_max > max) {
      sum = sum * exponential(static_cast<double>(max) - other_max) + other_sum;
      max = other_max;
    } else {
      sum += other_sum * exponential(static_cast<double>(other_max) - max);
    }
  }
};

// A thread's words, for a block of rows.
void sum_words(const SoftmaxLoss& job, const Gemm& gemm, const Panels& a, const Panels& b, Range words, long begin,
               long rows, float* logits, RunningSum* sums) {
  const long step = kWords / gemm.nr();
  for (long q = words.begin; q < words.end; q += step) {
    const Range panels{q, std::min(q + step, words.end)};
    const long first = q * gemm.nr(), count = std::min(job.vocabulary, panels.end * gemm.nr()) - first;
    gemm.multiply(a, {0, a.count}, b, panels, rows, job.vocabulary, job.hidden, logits - first, kWords, false, job.b);
    for (long m = 0; m < rows; m++) {
      const float* row = logits + m * kWords;
      const long target = job.targets[begin + m] - first;
      if (target >= 0 && target < count) sums[m].target = row[target];
      float max;
      double sum;
      isa().exp_row(count, row, &max, &sum);
      sums[m].add(max, sum);
    }
  }
}

}  // namespace

// Threads share the words, so that each reads its part of W once for many rows.
void softmax_loss(const SoftmaxLoss& job) {
  const TeamTurn turn;
  const Gemm gemm(job.bf16);
  const long V = job.vocabulary, H = job.hidden, most = std::min(job.rows, kRows);
  const int mr = gemm.panel_rows(most);
  const void* packed_w = job.packed_w;
  if (!packed_w) packed_w = Workspace::bytes(Workspace::kPackedWeights, packed_b_bytes(gemm, V, H));
  const Panels b = gemm.b_panels(packed_w, V, H);
  char* packed_h = Workspace::bytes(Workspace::kStepA, gemm.bytes(gemm.a_panels(nullptr, most, mr, H)));
  float* logits = Workspace::floats(Workspace::kLogits, team_size() * most * kWords);
  std::vector<RunningSum> sums(team_size() * most);

  run_team([&](const Member& member) {
    const Range words = share(b.count, member);
    if (!job.packed_w) pack_all_b(gemm, transposed(job.w, H), V, H, const_cast<void*>(packed_w), member);
    for (long begin = 0; begin < job.rows; begin += kRows) {
      const long rows = std::min(kRows, job.rows - begin);
      const Panels a = gemm.a_panels(packed_h, rows, mr, H);
      const Range panels = share(a.count, member);
      for (long p = panels.begin; p < panels.end; p++) gemm.pack_a(a, p, row_major(job.h + begin * H, H), rows, H);
      RunningSum* mine = sums.data() + member.index * most;
      std::fill(mine, mine + rows, RunningSum());
      member.barrier.wait();
      sum_words(job, gemm, a, b, words, begin, rows, logits + member.index * most * kWords, mine);
      member.barrier.wait();
      const Range row_share = share(rows, member);
      for (long m = row_share.begin; m < row_share.end; m++) {
        RunningSum all = sums[m];
        for (int other = 1; other < member.size; other++) {
          const RunningSum& part = sums[other * most + m];
          all.add(part.max, part.sum);
          all.target += part.target;  // 0 but in one thread
        }
        job.losses[begin + m] = static_cast<float>(static_cast<double>(all.max) - all.target + logarithm(all.sum));
      }
      member.barrier.wait();
    }
  });
}

void logits(const SoftmaxLoss& job, float* out) {
  const TeamTurn turn;
  const Gemm gemm(job.bf16);
  const long M = job.rows, H = job.hidden, V = job.vocabulary;
  run_team([&](const Member& member) {
    multiply(gemm, {M, V, H, row_major(job.h, H), transposed(job.w, H), out, V, false, job.packed_w, job.b}, member);
  });
}

long packed_output_bytes(long hidden, long vocabulary, bool bf16) {
  return packed_b_bytes(Gemm(bf16), vocabulary, hidden);
}

void pack_output_weights(const float* w, long hidden, long vocabulary, bool bf16, void* out) {
  const Gemm gemm(bf16);
  run_team([&](const Member& member) {
    pack_all_b(gemm, transposed(w, hidden), vocabulary, hidden, out, member);
  });
}

}  // namespace gatelm
