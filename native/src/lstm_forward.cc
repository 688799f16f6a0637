#include <string.h>

#include <algorithm>

#include "gemm.h"
#include "lstm.h"
#include "recurrent_weights.h"

namespace gatelm {

long packed_wx_bytes(long input, long hidden, bool bf16) { return packed_b_bytes(Gemm(bf16), 4 * hidden, input); }

long packed_wh_bytes(long hidden, bool bf16) {
  const Gemm gemm(bf16);
  return RecurrentWeights(gemm, nullptr, hidden).bytes();
}

void pack_wx(const float* wx, long input, long hidden, bool bf16, void* out) {
  const Gemm gemm(bf16);
  run_team([&](const Member& member) {
    pack_all_b(gemm, row_major(wx, 4 * hidden), 4 * hidden, input, out, member);
  });
}

void pack_wh(const float* wh, long hidden, bool bf16, void* out) {
  const Gemm gemm(bf16);
  const RecurrentWeights weights(gemm, out, hidden);
  run_team([&](const Member& member) { weights.pack(wh, member); });
}

// x·Wx + b of all steps is one product into `gates`. Then step by step: gates += hidden·Wh, nonlinearities. Wh is packed
// once.
void lstm_forward(const LstmForward& job) {
  const long T = job.shape.time, N = job.shape.batch, D = job.shape.input, H = job.shape.hidden;
  const long width = 4 * H, states = N * H;
  const TeamTurn turn;
  const Gemm gemm(job.bf16);
  const void* packed_wh = job.packed_wh;
  if (!packed_wh) packed_wh = Workspace::bytes(Workspace::kPackedWeights, packed_wh_bytes(H, job.bf16));
  const RecurrentWeights weights(gemm, packed_wh, H);
  float* gates = job.gates ? job.gates : Workspace::floats(Workspace::kRows, T * N * width);
  float* cells = job.cells ? job.cells : Workspace::floats(Workspace::kSums, T * states);
  const int mr = gemm.panel_rows(N);
  Panels packed_hidden[2];  // by turns: a thread may still read the one of the step before
  for (int i = 0; i < 2; i++) {
    const auto slot = i == 0 ? Workspace::kStepA : Workspace::kStepB;
    packed_hidden[i] = gemm.a_panels(Workspace::bytes(slot, gemm.bytes(gemm.a_panels(nullptr, N, mr, H))), N, mr, H);
  }

  run_team([&](const Member& member) {
    if (!job.packed_wh) weights.pack(job.wh, member);
    multiply(gemm, {T * N, width, D, row_major(job.x, D), row_major(job.wx, width), gates, width, false, job.packed_wx, job.b},
             member);
    const Range units = units_of(H, member.index, member.size);
    const long count = units.end - units.begin;
    const Range rows = share(packed_hidden[0].count, member);

    for (long t = 0; t < T; t++) {
      const float* hidden = t == 0 ? job.hidden0 : job.hiddens + (t - 1) * states;
      const float* cell = t == 0 ? job.cell0 : cells + (t - 1) * states;
      const Panels& a = packed_hidden[t % 2];
      for (long p = rows.begin; p < rows.end; p++) gemm.pack_a(a, p, row_major(hidden, H), N, H);
      member.barrier.wait();
      float* z = gates + t * N * width;
      for (int g = 0; g < 4; g++) {
        const Panels b = weights.gate(member, g);
        gemm.multiply(a, {0, a.count}, b, {0, b.count}, N, count, H, z + g * H + units.begin, width, true);
      }
      for (long n = 0; n < N && count > 0; n++) {
        const long at = n * H + units.begin;
        isa().gates_forward(count, z + n * width + units.begin, H, cell + at, cells + t * states + at,
                            job.hiddens + t * states + at);
      }
      member.barrier.wait();
    }
    if (member.index == 0) {
      memcpy(job.last_hidden, T ? job.hiddens + (T - 1) * states : job.hidden0, sizeof(float) * states);
      memcpy(job.last_cell, T ? cells + (T - 1) * states : job.cell0, sizeof(float) * states);
    }
  });
}

}  // namespace gatelm
