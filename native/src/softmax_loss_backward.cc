#include <math.h>

#include <algorithm>

#include "gemm.h"
#include "softmax_loss.h"

namespace gatelm {
namespace {

// Panels of rows whose logits a thread holds at once.
constexpr long kPanels = 4;
// Bytes of dLogits, packed twice, that are held at once; longer batches are cut into chunks of rows.
constexpr long kMostBytes = 128 << 20;

// What the threads share. dLogits [rows of the chunk, V] exists packed twice: as the left side of dLogits·W, and
// transposed, as that of dLogitsᵀ·h.
struct Plan {
  const SoftmaxLoss& job;
  const Gemm& gemm;
  float scale;
  float *dh, *dw, *db;
  int mr;            // rows of a panel
  long chunk;        // rows of a chunk, full panels
  Panels w_by_word;  // Wᵀ [H, V], for logits
  Panels w_by_unit;  // W [V, H], for dh
  char *h_data, *d_data, *d_transposed_data, *h_columns_data;
  float* logits;     // a thread's are [kPanels · mr, V]
  float* db_parts;   // [threads, V]
};

// Both packed forms of W in one pass over it.
void pack_weights(const Plan& plan, const Member& member) {
  const long V = plan.job.vocabulary, H = plan.job.hidden;
  const Gemm& gemm = plan.gemm;
  const int nr = gemm.nr();
  const Range words = share(plan.w_by_word.count, member);
  for (long q = words.begin; q < words.end; q++) {
    gemm.pack_b(plan.w_by_word, q, transposed(plan.job.w, H), V, H);
    const long first = q * nr, count = std::min<long>(nr, V - first);
    for (long u = 0; u < plan.w_by_unit.count; u++) {
      gemm.pack_b_slice(plan.w_by_unit, u, row_major(plan.job.w + first * H, H), H, first, count);
    }
  }
}

// Turns rows of logits into losses and dLogits = (softmax − onehot) · scale.
void finish_rows(const Plan& plan, float* logits, long first, long rows, float* db) {
  const SoftmaxLoss& job = plan.job;
  for (long m = 0; m < rows; m++) {
    float* row = logits + m * job.vocabulary;
    const int32_t target = job.targets[first + m];
    const float logit = row[target];
    float max;
    double sum;
    isa().exp_row(job.vocabulary, row, true, &max, &sum);
    job.losses[first + m] = static_cast<float>(static_cast<double>(max) - logit + log(sum));
    isa().scale_row(job.vocabulary, row, static_cast<float>(plan.scale / sum));
    row[target] -= plan.scale;
    isa().add(job.vocabulary, row, db);
  }
}

// A thread's rows of a chunk: logits, losses, dLogits and dh.
void run_rows(const Plan& plan, long begin, long rows, const Member& member) {
  const SoftmaxLoss& job = plan.job;
  const Gemm& gemm = plan.gemm;
  const long V = job.vocabulary, H = job.hidden;
  const float* h_rows = job.h + begin * H;
  float* logits = plan.logits + member.index * kPanels * plan.mr * V;
  const Panels h = gemm.a_panels(plan.h_data, rows, plan.mr, H), d = gemm.a_panels(plan.d_data, rows, plan.mr, V);
  const int v_mr = gemm.panel_rows(V);
  const Panels d_transposed = gemm.a_panels(plan.d_transposed_data, V, v_mr, rows);
  const Range mine = share(h.count, member);
  for (long p = mine.begin; p < mine.end; p++) gemm.pack_a(h, p, row_major(h_rows, H), rows, H);
  for (long p = mine.begin; p < mine.end; p += kPanels) {
    const Range panels{p, std::min(p + kPanels, mine.end)};
    const long first = p * plan.mr, count = std::min(rows, panels.end * plan.mr) - first;
    float* origin = logits - first * V;  // where row 0 of the chunk would be
    gemm.multiply(h, panels, plan.w_by_word, {0, plan.w_by_word.count}, rows, V, H, origin, V, false, job.b);
    finish_rows(plan, logits, begin + first, count, plan.db_parts + member.index * V);
    for (long q = panels.begin; q < panels.end; q++) gemm.pack_a(d, q, row_major(origin, V), rows, V);
    for (long q = 0; q < d_transposed.count; q++) {
      gemm.pack_a_slice(d_transposed, q, transposed(logits, V), V, first, count);
    }
  }
  gemm.multiply(d, mine, plan.w_by_unit, {0, plan.w_by_unit.count}, rows, H, V, plan.dh + begin * H, H, false);
}

// dW (+)= dLogitsᵀ · h of a chunk; the threads share the words.
void run_words(const Plan& plan, long begin, long rows, const Member& member) {
  const Gemm& gemm = plan.gemm;
  const long V = plan.job.vocabulary, H = plan.job.hidden;
  const Panels a = gemm.a_panels(plan.d_transposed_data, V, gemm.panel_rows(V), rows);
  const Panels b = gemm.b_panels(plan.h_columns_data, H, rows);
  gemm.multiply(a, share(a.count, member), b, {0, b.count}, V, H, rows, plan.dw, H, begin > 0);
}

void sum_bias(const Plan& plan, const Member& member) {
  const long V = plan.job.vocabulary;
  const Range words = share(V, member, 16);
  for (long v = words.begin; v < words.end; v++) {
    float sum = 0;
    for (int index = 0; index < member.size; index++) sum += plan.db_parts[index * V + v];
    plan.db[v] = sum;
  }
}

}  // namespace

void softmax_loss_backward(const SoftmaxLoss& job, float scale, float* dh, float* dw, float* db) {
  const TeamTurn turn;
  const Gemm gemm(job.bf16);
  const long M = job.rows, V = job.vocabulary, H = job.hidden, threads = team_size();
  const int mr = gemm.panel_rows(M, gemm.k_grain());  // rows are k in dLogitsᵀ·h
  const long row_bytes = 2 * gemm.bytes(gemm.a_panels(nullptr, mr, mr, V)) / mr;
  const long chunk = std::max(1L, std::min((M + mr - 1) / mr, kMostBytes / row_bytes / mr)) * mr;
  const auto a_bytes = [&](long rows, int width, long depth) {
    return gemm.bytes(gemm.a_panels(nullptr, rows, width, depth));
  };
  char* words = Workspace::bytes(Workspace::kPackedWeights, packed_b_bytes(gemm, V, H));
  char* units = Workspace::bytes(Workspace::kPackedB, packed_b_bytes(gemm, H, V));
  const Plan plan{job,
                  gemm,
                  scale,
                  dh,
                  dw,
                  db,
                  mr,
                  chunk,
                  gemm.b_panels(words, V, H),
                  gemm.b_panels(units, H, V),
                  Workspace::bytes(Workspace::kStepA, a_bytes(chunk, mr, H)),
                  Workspace::bytes(Workspace::kRows, a_bytes(chunk, mr, V)),
                  Workspace::bytes(Workspace::kPackedA, a_bytes(V, gemm.panel_rows(V), chunk)),
                  Workspace::bytes(Workspace::kStepB, packed_b_bytes(gemm, H, chunk)),
                  Workspace::floats(Workspace::kLogits, threads * kPanels * mr * V),
                  Workspace::floats(Workspace::kSums, threads * V)};

  run_team([&](const Member& member) {
    pack_weights(plan, member);
    std::fill_n(plan.db_parts + member.index * V, V, 0.0f);
    for (long begin = 0; begin < M; begin += chunk) {
      const long rows = std::min(chunk, M - begin);
      pack_all_b(gemm, row_major(job.h + begin * H, H), H, rows, plan.h_columns_data, member);
      member.barrier.wait();
      run_rows(plan, begin, rows, member);
      member.barrier.wait();
      run_words(plan, begin, rows, member);
      member.barrier.wait();
    }
    sum_bias(plan, member);
  });
}

}  // namespace gatelm
