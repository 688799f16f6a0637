#include <string.h>

#include <algorithm>

#include "gemm.h"
#include "lstm.h"
#include "recurrent_weights.h"

namespace gatelm {
namespace {

// The column sums of rows [M, width].
void sum_columns(const float* rows, long count, long width, float* out, const Member& member) {
  const Range columns = share(width, member, 16);
  const long here = columns.end - columns.begin;
  if (here <= 0) return;
  memset(out + columns.begin, 0, sizeof(float) * here);
  for (long m = 0; m < count; m++) isa().add(here, rows + m * width + columns.begin, out + columns.begin);
}

// The hidden states before each step, [T, N, H].
void shift_hiddens(const LstmBackward& job, float* out, const Member& member) {
  const long states = job.shape.batch * job.shape.hidden;
  const Range steps = share(job.shape.time, member);
  for (long t = steps.begin; t < steps.end; t++) {
    memcpy(out + t * states, t == 0 ? job.hidden0 : job.hiddens + (t - 1) * states, sizeof(float) * states);
  }
}

}  // namespace

// Step by step from the last: dHidden = dOutput + dZ of the step after · Whᵀ; dZ from the gates. A thread owns a range
// of units. dx, dWx and dWh are one product each, after the loop.
void lstm_backward(const LstmBackward& job) {
  const long T = job.shape.time, N = job.shape.batch, D = job.shape.input, H = job.shape.hidden;
  const long width = 4 * H, states = N * H;
  const TeamTurn turn;
  const Gemm gemm(job.bf16);
  const int mr = gemm.panel_rows(N);
  float* dz = Workspace::floats(Workspace::kRows, T * N * width);
  float* before = Workspace::floats(Workspace::kSums, T * states);
  const Panels a = [&] {
    const long bytes = gemm.bytes(gemm.a_panels(nullptr, N, mr, width));
    return gemm.a_panels(Workspace::bytes(Workspace::kStepA, bytes), N, mr, width);
  }();
  // Whᵀ, thread after thread the panels of its units; later dz of all steps.
  const long thread_bytes = packed_b_bytes(gemm, H, width);  // more than any thread needs
  char* packed = Workspace::bytes(Workspace::kPackedWeights,
                                  std::max(thread_bytes * team_size(), packed_b_bytes(gemm, width, T * N)));

  run_team([&](const Member& member) {
    const Range units = units_of(H, member.index, member.size);
    const long first = units.begin, count = units.end - units.begin;
    const Panels b = gemm.b_panels(packed + member.index * thread_bytes, count, width);
    for (long q = 0; q < b.count; q++) gemm.pack_b(b, q, transposed(job.wh + first * width, width), count, width);
    for (long n = 0; n < N; n++) memset(job.d_cell0 + n * H + first, 0, sizeof(float) * count);
    shift_hiddens(job, before, member);
    const Range rows = share(a.count, member);

    for (long t = T - 1; t >= 0; t--) {
      float* z = dz + t * N * width;
      const float* previous_cell = t == 0 ? job.cell0 : job.cells + (t - 1) * states;
      for (long n = 0; n < N && count > 0; n++) {
        const long at = n * H + first, step = t * states + at;
        float* dh = job.d_hidden0 + at;
        if (t == T - 1) {
          memcpy(dh, job.d_hiddens + step, sizeof(float) * count);
        } else {
          isa().add(count, job.d_hiddens + step, dh);
        }
        isa().gates_backward(count, job.gates + (t * N + n) * width + first, H, job.cells + step, previous_cell + at,
                             dh, job.d_cell0 + at, z + n * width + first);
      }
      member.barrier.wait();
      for (long p = rows.begin; p < rows.end; p++) gemm.pack_a(a, p, row_major(z, width), N, width);
      member.barrier.wait();
      gemm.multiply(a, {0, a.count}, b, {0, b.count}, N, count, width, job.d_hidden0 + first, H, false);
    }
    member.barrier.wait();  // all are done with `packed`

    pack_all_b(gemm, row_major(dz, width), width, T * N, packed, member);
    sum_columns(dz, T * N, width, job.d_b, member);
    const MatrixView z_rows = row_major(dz, width);
    multiply(gemm, {T * N, D, width, z_rows, transposed(job.wx, width), job.dx, D}, member);
    multiply(gemm, {D, width, T * N, transposed(job.x, D), z_rows, job.d_wx, width, false, packed}, member);
    multiply(gemm, {H, width, T * N, transposed(before, H), z_rows, job.d_wh, width, false, packed}, member);
  });
}

}  // namespace gatelm
