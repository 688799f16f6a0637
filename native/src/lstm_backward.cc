#include <string.h>

#include <algorithm>

#include "gate_weights.h"
#include "gemm.h"
#include "lstm.h"

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

// Step by step from the last: dHidden = dOutput + dZ of the step after · Whᵀ; dZ from the gates. A thread packs the dZ that
// it made as soon as it has them. dx, dWx and dWh are one product each, after the loop.
void lstm_backward(const LstmBackward& job) {
  const long T = job.shape.time, N = job.shape.batch, D = job.shape.input, H = job.shape.hidden;
  const long width = 4 * H, states = N * H;
  const TeamTurn turn;
  const Gemm gemm(job.bf16);
  const LstmSplit split(gemm, T, N, H);
  const TransposedGateWeights weights(gemm, split, H);
  float* dz = Workspace::floats(Workspace::kRows, T * N * width);
  float* before = Workspace::floats(Workspace::kSums, T * states);
  // Whᵀ; later dz of all steps.
  char* packed = Workspace::bytes(Workspace::kPackedWeights,
                                  std::max(weights.bytes(), packed_b_bytes(gemm, width, T * N)));
  // dZ of a step, packed; by turns, as another may still read the one before. By streams each member has its own.
  const long rows = split.by_streams() ? (N + team_size() - 1) / team_size() : N;
  const int mr = gemm.panel_rows(rows);
  const long z_bytes = gemm.bytes(gemm.a_panels(nullptr, rows, mr, weights.depth()));
  const char* packed_z[2];
  packed_z[0] = Workspace::bytes(Workspace::kStepA, z_bytes * (split.by_streams() ? team_size() : 1));
  packed_z[1] = Workspace::bytes(Workspace::kStepB, z_bytes * (split.by_streams() ? team_size() : 1));

  run_team([&](const Member& member) {
    const Range streams = split.streams(member), units = split.units(member), parts = split.parts(member);
    const long first = units.begin, count = units.end - units.begin, here = streams.end - streams.begin;
    weights.pack(job.wh, packed, member);
    for (long n = streams.begin; n < streams.end; n++) memset(job.d_cell0 + n * H + first, 0, sizeof(float) * count);
    shift_hiddens(job, before, member);
    if (split.by_streams()) member.barrier.wait();

    for (long t = T - 1; t >= 0; t--) {
      const float* previous_cell = t == 0 ? job.cell0 : job.cells + (t - 1) * states;
      for (long n = streams.begin; n < streams.end && count > 0; n++) {
        const long at = n * H + first, step = t * states + at, gate = (t * N + n) * width + first;
        float* dh = job.d_hidden0 + at;
        if (t == T - 1) {
          memcpy(dh, job.d_hiddens + step, sizeof(float) * count);
        } else {
          isa().add(count, job.d_hiddens + step, dh);
        }
        isa().gates_backward(count, job.gates + gate, H, job.cells + step, previous_cell + at, dh, job.d_cell0 + at,
                             dz + gate);
      }
      const char* data = packed_z[t % 2] + (split.by_streams() ? member.index * z_bytes : 0);
      const Panels a = gemm.a_panels(data, here, mr, weights.depth());
      const float* z = dz + (t * N + streams.begin) * width;
      for (long part = parts.begin; part < parts.end; part++) weights.pack_gradient(part, z, here, a);
      split.next_step(member);
      for (long part = parts.begin; part < parts.end; part++) {
        weights.multiply(part, packed, a, here, job.d_hidden0 + streams.begin * H);
      }
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
