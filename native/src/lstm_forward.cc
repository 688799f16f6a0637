#include <string.h>

#include "gate_weights.h"
#include "gemm.h"
#include "lstm.h"

namespace gatelm {
namespace {

// The packed hidden states of a member's streams. By streams each member has its own panels, by units all share one set,
// to which each adds the states of its units. By turns: another may still read those of the step before.
class PackedHiddens {
 public:
  PackedHiddens(const Gemm& gemm, const LstmSplit& split, long batch, long hidden)
      : gemm_(gemm), split_(split), hidden_(hidden), mr_(gemm.panel_rows(rows_of_a_member(batch))) {
    const Panels panels = gemm.a_panels(nullptr, rows_of_a_member(batch), mr_, hidden);
    bytes_ = gemm.bytes(panels);
    const long members = split.by_streams() ? team_size() : 1;
    data_[0] = Workspace::bytes(Workspace::kStepA, members * bytes_);
    data_[1] = Workspace::bytes(Workspace::kStepB, members * bytes_);
  }

  Panels at(long step, const Member& member) const {
    const Range streams = split_.streams(member);
    const char* data = data_[step % 2] + (split_.by_streams() ? member.index * bytes_ : 0);
    return gemm_.a_panels(data, streams.end - streams.begin, mr_, hidden_);
  }

  // @param hiddens [N, H]; packs the member's streams and units
  void pack(long step, const float* hiddens, const Member& member) const {
    const Range streams = split_.streams(member), units = split_.units(member);
    const Panels to = at(step, member);
    const MatrixView view = row_major(hiddens + streams.begin * hidden_ + units.begin, hidden_);
    for (long p = 0; p < to.count && units.begin < units.end; p++) {
      gemm_.pack_a_slice(to, p, view, streams.end - streams.begin, units.begin, units.end - units.begin);
    }
  }

 private:
  long rows_of_a_member(long batch) const {
    return split_.by_streams() ? (batch + team_size() - 1) / team_size() : batch;
  }

  const Gemm& gemm_;
  const LstmSplit& split_;
  const long hidden_;
  const int mr_;
  long bytes_;
  char* data_[2];
};

const void* packed_or_room(const void* packed, Workspace::Slot slot, long bytes) {
  return packed ? packed : Workspace::bytes(slot, bytes);
}

}  // namespace

long packed_wx_bytes(long input, long hidden, bool bf16) {
  const Gemm gemm(bf16);
  return GateWeights(gemm, LstmSplit(gemm, 1, 1, hidden), nullptr, input, hidden).bytes();
}

long packed_wh_bytes(long hidden, bool bf16) { return packed_wx_bytes(hidden, hidden, bf16); }

void pack_wx(const float* wx, long input, long hidden, bool bf16, void* out) {
  const Gemm gemm(bf16);
  const LstmSplit split(gemm, 1, 1, hidden);
  const GateWeights weights(gemm, split, out, input, hidden);
  run_team([&](const Member& member) { weights.pack(wx, member); });
}

void pack_wh(const float* wh, long hidden, bool bf16, void* out) { pack_wx(wh, hidden, hidden, bf16, out); }

// x·Wx + b of all steps is one product into `gates`. Then step by step: gates += hidden·Wh, nonlinearities. A thread packs
// the hidden states that it made as soon as it has them.
void lstm_forward(const LstmForward& job) {
  const long T = job.shape.time, N = job.shape.batch, D = job.shape.input, H = job.shape.hidden;
  const long width = 4 * H, states = N * H;
  const TeamTurn turn;
  const Gemm gemm(job.bf16);
  const LstmSplit split(gemm, T, N, H);
  const void* wx_data = packed_or_room(job.packed_wx, Workspace::kPackedB, packed_wx_bytes(D, H, job.bf16));
  const void* wh_data = packed_or_room(job.packed_wh, Workspace::kPackedWeights, packed_wh_bytes(H, job.bf16));
  const GateWeights wx(gemm, split, wx_data, D, H), wh(gemm, split, wh_data, H, H);
  float* gates = job.gates ? job.gates : Workspace::floats(Workspace::kRows, T * N * width);
  float* cells = job.cells ? job.cells : Workspace::floats(Workspace::kSums, T * states);
  const int mr = gemm.panel_rows(T * N);
  const long x_bytes = gemm.bytes(gemm.a_panels(nullptr, T * N, mr, D));
  const Panels x = gemm.a_panels(Workspace::bytes(Workspace::kPackedA, x_bytes), T * N, mr, D);
  const PackedHiddens hiddens(gemm, split, N, H);

  run_team([&](const Member& member) {
    if (!job.packed_wx) wx.pack(job.wx, member);
    if (!job.packed_wh) wh.pack(job.wh, member);
    const Range x_share = share(x.count, member);
    for (long p = x_share.begin; p < x_share.end; p++) gemm.pack_a(x, p, row_major(job.x, D), T * N, D);
    hiddens.pack(0, job.hidden0, member);
    member.barrier.wait();
    wx.multiply(member.index, x, T * N, gates, false, job.b);
    if (split.by_streams()) member.barrier.wait();

    const Range streams = split.streams(member), units = split.units(member), parts = split.parts(member);
    const long count = units.end - units.begin;
    for (long t = 0; t < T; t++) {
      float* z = gates + (t * N + streams.begin) * width;
      for (long part = parts.begin; part < parts.end; part++) {
        wh.multiply(part, hiddens.at(t, member), streams.end - streams.begin, z, true, nullptr);
      }
      const float* cell = t == 0 ? job.cell0 : cells + (t - 1) * states;
      for (long n = streams.begin; n < streams.end && count > 0; n++) {
        const long at = n * H + units.begin;
        isa().gates_forward(count, gates + (t * N + n) * width + units.begin, H, cell + at, cells + t * states + at,
                            job.hiddens + t * states + at);
      }
      if (t + 1 < T) hiddens.pack(t + 1, job.hiddens + t * states, member);
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
