#include "softmax_loss.h"

#include <math.h>
#include <string.h>

#include <algorithm>

#include "gemm.h"

namespace gatelm {
namespace {

// Rows of logits that are held at once where no gradient is asked for.
constexpr long kRowBlock = 280;

void fill_with_bias(const SoftmaxLoss& job, float* logits, Range rows) {
  for (long m = rows.begin; m < rows.end; m++) {
    memcpy(logits + m * job.vocabulary, job.b, sizeof(float) * job.vocabulary);
  }
}

// −ln softmax(row)[target] = max + ln Σ exp(x − max) − x[target]
float row_loss(const SoftmaxLoss& job, float* row, int32_t target, bool keep, double* sum) {
  const float logit = row[target];
  float max;
  isa().exp_row(job.vocabulary, row, keep, &max, sum);
  return static_cast<float>(static_cast<double>(max) - logit + log(*sum));
}

}  // namespace

void softmax_loss(const SoftmaxLoss& job) {
  const long V = job.vocabulary, H = job.hidden;
  const int nr = isa().nr;
  const long b_count = (V + nr - 1) / nr, b_bytes = panel_bytes(nr, H, job.bf16);
  void* fresh_w = job.packed_w ? nullptr : Workspace::floats(Workspace::kPackedWeights, b_count * b_bytes / 4);
  const void* packed_w = job.packed_w ? job.packed_w : fresh_w;
  float* logits = Workspace::floats(Workspace::kLogits, std::min(job.rows, kRowBlock) * V);
  const int mr = panel_rows(std::min(job.rows, kRowBlock));
  const long a_bytes = panel_bytes(mr, H, job.bf16);
  char* packed_h = reinterpret_cast<char*>(
      Workspace::floats(Workspace::kStepA, (std::min(job.rows, kRowBlock) + mr - 1) / mr * a_bytes / 4));
  Barrier barrier(team_size());

  run_team([&](int index, int size) {
    const Range columns = share(b_count, index, size);
    if (fresh_w) pack_b_all(transposed(job.w, H), V, H, job.bf16, fresh_w, index, size);
    for (long begin = 0; begin < job.rows; begin += kRowBlock) {
      const long rows = std::min(kRowBlock, job.rows - begin);
      const long a_count = (rows + mr - 1) / mr;
      const Range a_share = share(a_count, index, size), row_share = share(rows, index, size);
      for (long p = a_share.begin; p < a_share.end; p++) {
        pack_a_panel(row_major(job.h + begin * H, H), p, rows, mr, H, job.bf16, packed_h + p * a_bytes);
      }
      fill_with_bias(job, logits, row_share);
      barrier.wait();
      multiply_panels({packed_h, mr, a_count, a_bytes, job.bf16}, {0, a_count},
                      {packed_w, nr, b_count, b_bytes, job.bf16}, columns, rows, V, H, logits, V, true);
      barrier.wait();
      for (long m = row_share.begin; m < row_share.end; m++) {
        double sum;
        job.losses[begin + m] = row_loss(job, logits + m * V, job.targets[begin + m], false, &sum);
      }
      barrier.wait();
    }
  });
}

void logits(const SoftmaxLoss& job, float* out) {
  const long M = job.rows, V = job.vocabulary, H = job.hidden;
  Barrier barrier(team_size());
  run_team([&](int index, int size) {
    fill_with_bias(job, out, share(M, index, size));
    multiply({M, V, H, row_major(job.h, H), transposed(job.w, H), out, V, true, job.packed_w}, job.bf16, index, size,
             barrier);
  });
}

long packed_output_bytes(long hidden, long vocabulary, bool bf16) { return packed_b_bytes(vocabulary, hidden, bf16); }

void pack_output_weights(const float* w, long hidden, long vocabulary, bool bf16, void* out) {
  run_team([&](int index, int size) {
    pack_b_all(transposed(w, hidden), vocabulary, hidden, bf16, out, index, size);
  });
}

void softmax_loss_backward(const SoftmaxLoss& job, float scale, float* dh, float* dw, float* db) {
  const long M = job.rows, V = job.vocabulary, H = job.hidden;
  float* logits = Workspace::floats(Workspace::kLogits, M * V);
  Barrier barrier(team_size());

  run_team([&](int index, int size) {
    const Range rows = share(M, index, size);
    fill_with_bias(job, logits, rows);
    multiply({M, V, H, row_major(job.h, H), transposed(job.w, H), logits, V, true}, job.bf16, index, size, barrier);
    for (long m = rows.begin; m < rows.end; m++) {
      float* row = logits + m * V;
      double sum;
      job.losses[m] = row_loss(job, row, job.targets[m], true, &sum);
      isa().scale_row(V, row, static_cast<float>(scale / sum));
      row[job.targets[m]] -= scale;
    }
    barrier.wait();
    multiply({M, H, V, row_major(logits, V), row_major(job.w, H), dh, H, false}, job.bf16, index, size, barrier);
    multiply({V, H, M, transposed(logits, V), row_major(job.h, H), dw, H, false}, job.bf16, index, size, barrier);
    const Range columns = share(V, index, size, 16);
    if (columns.begin < columns.end) {
      memset(db + columns.begin, 0, sizeof(float) * (columns.end - columns.begin));
      for (long m = 0; m < M; m++) {
        isa().add(columns.end - columns.begin, logits + m * V + columns.begin, db + columns.begin);
      }
    }
  });
}

}  // namespace gatelm
