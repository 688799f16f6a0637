#include <string.h>

#include <algorithm>

#include "gate_weights.h"
#include "gemm.h"
#include "gru.h"
#include "projection.h"

namespace gatelm {
namespace {

// Of four blocks of sums: r, z, n with the input, n with the hidden state.
constexpr GateLayout kInputGates{3, 4, {0, 1, 2}}, kRecurrentGates{3, 4, {0, 1, 3}};

// Wx and Wh packed, one after the other.
struct GruWeights {
  const GateWeights wx, wh;

  GruWeights(const Gemm& gemm, const CellSplit& split, const void* data, long input)
      : wx(gemm, split, data, input, kInputGates),
        wh(gemm, split, data ? static_cast<const char*>(data) + wx.bytes() : nullptr, split.all_units(), kRecurrentGates) {}

  long bytes() const { return wx.bytes() + wh.bytes(); }

  void pack(const float* wx_values, const float* wh_values, const Member& member) const {
    wx.pack(wx_values, member);
    wh.pack(wh_values, member);
  }
};

CellSplit split_of(const Gemm& gemm, long time, long batch, long hidden) {
  return CellSplit(gemm, time, batch, hidden, packed_b_bytes(gemm, 3 * hidden, hidden));
}

}  // namespace

long packed_gru_bytes(long input, long hidden, bool bf16) {
  const Gemm gemm(bf16);
  return GruWeights(gemm, split_of(gemm, 1, 1, hidden), nullptr, input).bytes();
}

void pack_gru(const float* wx, const float* wh, long input, long hidden, bool bf16, void* out) {
  const Gemm gemm(bf16);
  const GruWeights weights(gemm, split_of(gemm, 1, 1, hidden), out, input);
  run_team([&](const Member& member) { weights.pack(wx, wh, member); });
}

// x·Wx + b of all lines is one product, into `gates` where each step has a line of its own. Then step by step: hidden·Wh on top,
// nonlinearities. A thread packs the hidden states that it made as soon as it has them.
void gru_forward(const GruForward& job) {
  const long T = job.shape.time, N = job.shape.batch, D = job.shape.input, H = job.shape.hidden;
  const long width = 4 * H, states = N * H;
  const TeamTurn turn;
  const Gemm gemm(job.bf16);
  const CellSplit split = split_of(gemm, T, N, H);
  const void* data = job.packed ? job.packed : Workspace::bytes(Workspace::kPackedWeights, packed_gru_bytes(D, H, job.bf16));
  const GruWeights weights(gemm, split, data, D);
  float* gates = job.gates ? job.gates : Workspace::floats(Workspace::kRows, T * N * width);
  const Projection projection(gemm, job.source, job.shape, 4, gates);
  // The packed hidden states, by turns: another may still read those of the step before.
  const StepPanels hiddens(gemm, split, H);
  char* packed_hiddens[2] = {Workspace::bytes(Workspace::kStepA, hiddens.bytes()),
                             Workspace::bytes(Workspace::kStepB, hiddens.bytes())};

  run_team([&](const Member& member) {
    if (!job.packed) weights.pack(job.wx, job.wh, member);
    projection.pack(member);
    hiddens.pack(packed_hiddens[0], job.hidden0, split, member);
    projection.fill(3, job.b + 3 * H, member);
    member.barrier.wait();
    projection.multiply(weights.wx, job.b, member);
    if (split.by_streams()) member.barrier.wait();

    const Range streams = split.streams(member), units = split.units(member);
    const long count = units.end - units.begin, here = streams.end - streams.begin;
    for (long t = 0; t < T; t++) {
      projection.put(t, streams, units);
      weights.wh.multiply(hiddens.at(packed_hiddens[t % 2], member), here, gates + (t * N + streams.begin) * width, true,
                          nullptr, member);
      const float* hidden = t == 0 ? job.hidden0 : job.hiddens + (t - 1) * states;
      for (long n = streams.begin; n < streams.end && count > 0; n++) {
        const long at = n * H + units.begin;
        isa().gru_forward(count, gates + (t * N + n) * width + units.begin, H, hidden + at, job.hiddens + t * states + at);
      }
      if (t + 1 < T) hiddens.pack(packed_hiddens[(t + 1) % 2], job.hiddens + t * states, split, member);
      split.next_step(member);
    }
    member.barrier.wait();
    if (member.index == 0) {
      memcpy(job.last_hidden, T ? job.hiddens + (T - 1) * states : job.hidden0, sizeof(float) * states);
    }
  });
}

}  // namespace gatelm
