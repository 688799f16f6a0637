#include <string.h>

#include "gate_weights.h"
#include "gemm.h"
#include "lstm.h"
#include "projection.h"

namespace gatelm {
namespace {

constexpr GateLayout kGates{4, 4, {0, 1, 2, 3}};

CellSplit split_of(const Gemm& gemm, long time, long batch, long hidden) {
  return CellSplit(gemm, time, batch, hidden, packed_b_bytes(gemm, 4 * hidden, hidden));
}

const void* packed_or_room(const void* packed, Workspace::Slot slot, long bytes) {
  return packed ? packed : Workspace::bytes(slot, bytes);
}

}  // namespace

long packed_wx_bytes(long input, long hidden, bool bf16) {
  const Gemm gemm(bf16);
  return GateWeights(gemm, split_of(gemm, 1, 1, hidden), nullptr, input, kGates).bytes();
}

long packed_wh_bytes(long hidden, bool bf16) { return packed_wx_bytes(hidden, hidden, bf16); }

void pack_wx(const float* wx, long input, long hidden, bool bf16, void* out) {
  const Gemm gemm(bf16);
  const GateWeights weights(gemm, split_of(gemm, 1, 1, hidden), out, input, kGates);
  run_team([&](const Member& member) { weights.pack(wx, member); });
}

void pack_wh(const float* wh, long hidden, bool bf16, void* out) { pack_wx(wh, hidden, hidden, bf16, out); }

// x·Wx + b of all lines is one product, into `gates` where each step has a line of its own. Then step by step: gates += hidden·Wh,
// nonlinearities. A thread packs the hidden states that it made as soon as it has them.
void lstm_forward(const LstmForward& job) {
  const long T = job.shape.time, N = job.shape.batch, D = job.shape.input, H = job.shape.hidden;
  const long width = 4 * H, states = N * H;
  const TeamTurn turn;
  const Gemm gemm(job.bf16);
  const CellSplit split = split_of(gemm, T, N, H);
  const void* wx_data = packed_or_room(job.packed_wx, Workspace::kPackedB, packed_wx_bytes(D, H, job.bf16));
  const void* wh_data = packed_or_room(job.packed_wh, Workspace::kPackedWeights, packed_wh_bytes(H, job.bf16));
  const GateWeights wx(gemm, split, wx_data, D, kGates), wh(gemm, split, wh_data, H, kGates);
  float* gates = job.gates ? job.gates : Workspace::floats(Workspace::kRows, T * N * width);
  float* cells = job.cells ? job.cells : Workspace::floats(Workspace::kSums, T * states);
  const Projection projection(gemm, job.source, job.shape, 4, gates);
  // The packed hidden states, by turns: another may still read those of the step before.
  const StepPanels hiddens(gemm, split, H);
  char* packed_hiddens[2] = {Workspace::bytes(Workspace::kStepA, hiddens.bytes()),
                             Workspace::bytes(Workspace::kStepB, hiddens.bytes())};

  run_team([&](const Member& member) {
    if (!job.packed_wx) wx.pack(job.wx, member);
    if (!job.packed_wh) wh.pack(job.wh, member);
    projection.pack(member);
    hiddens.pack(packed_hiddens[0], job.hidden0, split, member);
    member.barrier.wait();
    projection.multiply(wx, job.b, member);
    if (split.by_streams()) member.barrier.wait();

    const Range streams = split.streams(member), units = split.units(member);
    const long count = units.end - units.begin;
    for (long t = 0; t < T; t++) {
      projection.put(t, streams, units);
      float* z = gates + (t * N + streams.begin) * width;
      wh.multiply(hiddens.at(packed_hiddens[t % 2], member), streams.end - streams.begin, z, true, nullptr, member);
      const float* cell = t == 0 ? job.cell0 : cells + (t - 1) * states;
      for (long n = streams.begin; n < streams.end && count > 0; n++) {
        const long at = n * H + units.begin;
        isa().gates_forward(count, gates + (t * N + n) * width + units.begin, H, cell + at, cells + t * states + at,
                            job.hiddens + t * states + at);
      }
      if (t + 1 < T) hiddens.pack(packed_hiddens[(t + 1) % 2], job.hiddens + t * states, split, member);
      split.next_step(member);
    }
    member.barrier.wait();
    if (member.index == 0) {
      memcpy(job.last_hidden, T ? job.hiddens + (T - 1) * states : job.hidden0, sizeof(float) * states);
      memcpy(job.last_cell, T ? cells + (T - 1) * states : job.cell0, sizeof(float) * states);
    }
  });
}

}  // namespace gatelm
