#include <string.h>

#include <algorithm>

#include "gate_weights.h"
#include "gemm.h"
#include "lstm.h"
#include "time_sums.h"

namespace gatelm {
namespace {

constexpr GateLayout kGates{4, 4, {0, 1, 2, 3}};

}  // namespace

// Step by step from the last: dHidden = dOutput + dZ of the step after · Whᵀ; dZ from the gates. A thread packs the dZ that
// it made as soon as it has them. dx, dWx and dWh are one product each, after the loop;
// the first two, where steps share lines of x, of the sums of dZ over the steps of a line.
void lstm_backward(const LstmBackward& job) {
  const long T = job.shape.time, N = job.shape.batch, D = job.shape.input, H = job.shape.hidden;
  const long width = 4 * H, states = N * H;
  const TeamTurn turn;
  const Gemm gemm(job.bf16);
  const CellSplit split(gemm, T, N, H, packed_b_bytes(gemm, width, H));
  const TransposedGateWeights weights(gemm, split, split, kGates);
  float* dz = Workspace::floats(Workspace::kRows, T * N * width);
  float* before = Workspace::floats(Workspace::kSums, T * states);
  const CellSource& source = job.source;
  const long lines = source.lines(job.shape);
  float* line_sums = source.indices ? Workspace::floats(Workspace::kProjected, lines * width) : dz;
  // Whᵀ; later dz of all steps.
  char* packed = Workspace::bytes(Workspace::kPackedWeights,
                                  std::max(weights.bytes(), packed_b_bytes(gemm, width, T * N)));
  // dZ of a step, packed; by turns, as another may still read the one before.
  const StepPanels steps(gemm, split, weights.depth());
  char* packed_z[2] = {Workspace::bytes(Workspace::kStepA, steps.bytes()), Workspace::bytes(Workspace::kStepB, steps.bytes())};

  run_team([&](const Member& member) {
    const Range streams = split.streams(member), units = split.units(member);
    const long first = units.begin, count = units.end - units.begin, here = streams.end - streams.begin;
    weights.pack(job.wh, packed, member);
    for (long n = streams.begin; n < streams.end; n++) memset(job.d_cell0 + n * H + first, 0, sizeof(float) * count);
    shift_states(job.hidden0, job.hiddens, T, states, before, member);
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
      const Panels a = steps.at(packed_z[t % 2], member);
      weights.pack_gradient(dz + (t * N + streams.begin) * width, here, a, member);
      split.next_step(member);
      weights.multiply(packed, a, here, job.d_hidden0 + streams.begin * H, false, member);
    }
    member.barrier.wait();  // all are done with `packed`

    pack_and_sum(gemm, {dz, T * N, width, width, packed, job.d_b, source.indices, lines, line_sums}, member);
    const MatrixView z_rows = row_major(dz, width), z_lines = row_major(line_sums, width);
    multiply(gemm, {lines, D, width, z_lines, transposed(job.wx, width), job.dx, D}, member);
    multiply(gemm, {D, width, lines, transposed(source.x, D), z_lines, job.d_wx, width, false, source.indices ? nullptr : packed},
             member);
    multiply(gemm, {H, width, T * N, transposed(before, H), z_rows, job.d_wh, width, false, packed}, member);
  });
}

}  // namespace gatelm
