#include <string.h>

#include <algorithm>

#include "gate_weights.h"
#include "gemm.h"
#include "gru.h"
#include "time_sums.h"

namespace gatelm {
namespace {

// Of the four blocks of sums, those that come from hidden·Wh.
constexpr GateLayout kRecurrentGates{3, 4, {0, 1, 3}};

}  // namespace

// Step by step from the last: dHidden = dOutput + what flows past the gates and dSums·Whᵀ of the step after; dSums from the
// gates. A thread packs the dSums that it made as soon as it has them. dx, dWx and dWh are products after the loop;
// the first two, where steps share lines of x, of the sums of dSums over the steps of a line.
void gru_backward(const GruBackward& job) {
  const long T = job.shape.time, N = job.shape.batch, D = job.shape.input, H = job.shape.hidden;
  const long width = 4 * H, states = N * H;
  const TeamTurn turn;
  const Gemm gemm(job.bf16);
  const CellSplit split(gemm, T, N, H, packed_b_bytes(gemm, 3 * H, H));
  const TransposedGateWeights weights(gemm, split, split, kRecurrentGates);
  float* d_sums = Workspace::floats(Workspace::kRows, T * N * width);
  float* before = Workspace::floats(Workspace::kSums, T * states);
  const CellSource& source = job.source;
  const long lines = source.lines(job.shape);
  float* line_sums = source.indices ? Workspace::floats(Workspace::kProjected, lines * width) : d_sums;
  // Whᵀ; later dSums of all steps.
  char* packed = Workspace::bytes(Workspace::kPackedWeights, std::max(weights.bytes(), packed_b_bytes(gemm, 3 * H, T * N)));
  // dSums of a step, packed; by turns, as another may still read the one before.
  const StepPanels steps(gemm, split, weights.depth());
  char* packed_sums[2] = {Workspace::bytes(Workspace::kStepA, steps.bytes()), Workspace::bytes(Workspace::kStepB, steps.bytes())};

  run_team([&](const Member& member) {
    const Range streams = split.streams(member), units = split.units(member);
    const long first = units.begin, count = units.end - units.begin, here = streams.end - streams.begin;
    weights.pack(job.wh, packed, member);
    shift_states(job.hidden0, job.hiddens, T, states, before, member);
    for (long n = streams.begin; n < streams.end; n++) memset(job.d_hidden0 + n * H + first, 0, sizeof(float) * count);
    member.barrier.wait();

    for (long t = T - 1; t >= 0; t--) {
      for (long n = streams.begin; n < streams.end && count > 0; n++) {
        const long at = n * H + first, step = t * states + at, gate = (t * N + n) * width + first;
        isa().add(count, job.d_hiddens + step, job.d_hidden0 + at);
        isa().gru_backward(count, job.gates + gate, H, before + step, job.d_hidden0 + at, d_sums + gate);
      }
      const Panels a = steps.at(packed_sums[t % 2], member);
      weights.pack_gradient(d_sums + (t * N + streams.begin) * width, here, a, member);
      split.next_step(member);
      weights.multiply(packed, a, here, job.d_hidden0 + streams.begin * H, true, member);
    }
    member.barrier.wait();  // all are done with `packed`

    // The sums with the input stand side by side; of those with the hidden state two do.
    pack_and_sum(gemm, {d_sums, T * N, width, 3 * H, packed, job.d_b, source.indices, lines, line_sums}, member);
    const MatrixView input_lines = row_major(line_sums, width);
    const MatrixView input = row_major(d_sums, width), candidate = row_major(d_sums + 3 * H, width);
    multiply(gemm, {lines, D, 3 * H, input_lines, transposed(job.wx, 3 * H), job.dx, D}, member);
    multiply(gemm, {D, 3 * H, lines, transposed(source.x, D), input_lines, job.d_wx, 3 * H, false,
                    source.indices ? nullptr : packed}, member);
    multiply(gemm, {H, 2 * H, T * N, transposed(before, H), input, job.d_wh, 3 * H, false, packed}, member);
    multiply(gemm, {H, H, T * N, transposed(before, H), candidate, job.d_wh + 2 * H, 3 * H}, member);
  });
}

}  // namespace gatelm
