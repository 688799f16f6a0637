// The weights of the rounds are two lists: N matrices, whole or the first factors, and as many second factors or none.
#include "mogrifier.h"
#include "packed_tensor.h"
#include "tf_op.h"

namespace gatelm {
namespace {

typedef std::vector<int64_t> Dims;

bool states_fit(OpRun& run, int x, int hidden, MogrifierShape* shape) {
  const auto x_dims = run.dims(x), h_dims = run.dims(hidden);
  if (!run.require(x_dims.size() == 3 && h_dims.size() == 2 && h_dims[0] == x_dims[1] && run.size(hidden + 1) == run.size(hidden),
                   "x must be [T, N, D], hidden and cell [N, H]")) {
    return false;
  }
  shape->time = x_dims[0];
  shape->batch = x_dims[1];
  shape->input = x_dims[2];
  shape->hidden = h_dims[1];
  return true;
}

// wx and wh at `wx`, the matrices from `rounds` on, the second factors from `ups` on. Sets rounds and rank.
bool weights_fit(OpRun& run, int wx, int rounds, int ups, bool factored, MogrifierShape* shape) {
  const int64_t D = shape->input, H = shape->hidden;
  shape->rounds = run.length;
  const Dims first = run.dims(rounds);
  shape->rank = factored && first.size() == 2 ? first[1] : 0;
  bool fit = run.dims(wx) == Dims{D, 4 * H} && run.dims(wx + 1) == Dims{H, 4 * H} && factored == (shape->rank > 0);
  for (int i = 0; i < run.length && fit; i++) {
    fit = run.dims(rounds + i) == Dims{shape->source(i), factored ? shape->rank : shape->target(i)} &&
          (!factored || run.dims(ups + i) == Dims{shape->rank, shape->target(i)});
  }
  return run.require(fit, "wx must be [D, 4H], wh [H, 4H], the matrices of the rounds [H, D] and [D, H] by turns, or their factors");
}

std::vector<const float*> floats(OpRun& run, int first, int count) {
  std::vector<const float*> all;
  for (int i = 0; i < count; i++) all.push_back(run.floats(first + i));
  return all;
}

// x, hidden, cell, wx, wh, b, the rounds.
void compute_forward(void* kernel, TF_OpKernelContext* context) {
  OpRun run(kernel, context);
  const int rounds = run.length, ups = run.inputs() - 6 - rounds;
  MogrifierShape shape{};
  if (!run.require(ups == 0 || ups == rounds, "as many second factors as rounds, or none")) return;
  if (!states_fit(run, 0, 1, &shape) || !weights_fit(run, 3, 6, 6 + rounds, ups > 0, &shape)) return;
  const long T = shape.time, N = shape.batch, H = shape.hidden;
  if (!run.require(run.size(5) == 4 * H, "b must be [4H]")) return;
  MogrifierForward job{shape, run.bf16, run.floats(0), run.floats(1), run.floats(2), run.floats(3), run.floats(4), run.floats(5),
                       floats(run, 6, rounds), floats(run, 6 + rounds, ups), run.output(0, {T, N, H}), run.output(1, {T, N, H}),
                       run.output(2, {T, N, 4 * H}), {}, run.output(3, {N, H}), run.output(4, {N, H})};
  for (int i = 0; i < rounds; i++) job.round_gates.push_back(run.output(5 + i, {T, N, shape.target(i)}));
  mogrifier_forward(job);
}

// dHiddens, x, hidden, cell, wx, wh, hiddens, cells, gates, the gates of the rounds, the rounds.
void compute_backward(void* kernel, TF_OpKernelContext* context) {
  OpRun run(kernel, context);
  const int rounds = run.length, first = 9 + rounds, ups = run.inputs() - first - rounds;
  MogrifierShape shape{};
  if (!run.require(ups == 0 || ups == rounds, "as many second factors as rounds, or none")) return;
  if (!states_fit(run, 1, 2, &shape) || !weights_fit(run, 4, first, first + rounds, ups > 0, &shape)) return;
  const long T = shape.time, N = shape.batch, D = shape.input, H = shape.hidden, steps = T * N * H;
  bool fit = run.size(0) == steps && run.size(6) == steps && run.size(7) == steps && run.size(8) == 4 * steps;
  for (int i = 0; i < rounds; i++) fit = fit && run.size(9 + i) == T * N * shape.target(i);
  if (!run.require(fit, "dHiddens, hiddens and cells must be [T, N, H], gates [T, N, 4H], those of rounds as what they change")) return;
  MogrifierBackward job{shape, run.bf16, run.floats(0), run.floats(1), run.floats(2), run.floats(3), run.floats(4), run.floats(5),
                        run.floats(6), run.floats(7), run.floats(8), floats(run, first, rounds), floats(run, first + rounds, ups),
                        floats(run, 9, rounds), run.output(0, {T, N, D}), run.output(1, {D, 4 * H}), run.output(2, {H, 4 * H}),
                        run.output(3, {4 * H}), {}, {}};
  for (int i = 0; i < rounds; i++) job.d_matrices.push_back(run.output(4 + i, run.dims(first + i)));
  for (int i = 0; i < ups; i++) job.d_ups.push_back(run.output(4 + rounds + i, run.dims(first + rounds + i)));
  mogrifier_backward(job);
}

// wx, wh, the rounds.
void compute_pack(void* kernel, TF_OpKernelContext* context) {
  OpRun run(kernel, context);
  const int rounds = run.length, ups = run.inputs() - 2 - rounds;
  const Dims wx = run.dims(0), wh = run.dims(1);
  MogrifierShape shape{};
  if (!run.require(wx.size() == 2 && wh.size() == 2 && (ups == 0 || ups == rounds), "wx must be [D, 4H], wh [H, 4H]")) return;
  shape.input = wx[0];
  shape.hidden = wh[0];
  if (!weights_fit(run, 0, 2, 2 + rounds, ups > 0, &shape)) return;
  MogrifierForward job{};
  job.shape = shape;
  job.bf16 = run.bf16;
  job.wx = run.floats(0);
  job.wh = run.floats(1);
  job.matrices = floats(run, 2, rounds);
  job.ups = floats(run, 2 + rounds, ups);
  const long bytes = packed_mogrifier_bytes(shape, run.bf16);
  pack_mogrifier(job, begin_of(run.output(0, {room(bytes)}), bytes));
}

// x, hidden, cell, packed, b, rank int32 [1].
void compute_packed(void* kernel, TF_OpKernelContext* context) {
  OpRun run(kernel, context);
  MogrifierShape shape{};
  if (!states_fit(run, 0, 1, &shape)) return;
  shape.rounds = run.length;
  shape.rank = run.ints(5)[0];
  if (!run.require(shape.rank >= 0, "the rank must be 0, for whole matrices, or more")) return;
  const long T = shape.time, N = shape.batch, H = shape.hidden, bytes = packed_mogrifier_bytes(shape, run.bf16);
  if (!run.require(run.size(3) == room(bytes) && run.size(4) == 4 * H, "the packed weights are of another size or precision")) {
    return;
  }
  mogrifier_forward({shape, run.bf16, run.floats(0), run.floats(1), run.floats(2), nullptr, nullptr, run.floats(4), {}, {},
                     run.output(0, {T, N, H}), nullptr, nullptr, {}, run.output(1, {N, H}), run.output(2, {N, H}),
                     begin_of(run.floats(3), bytes)});
}

}  // namespace

const char* register_mogrifier_ops() {
  const OpDefinition definitions[] = {
      {"GatelmMogrifierLstm",
       {"x: float", "hidden: float", "cell: float", "wx: float", "wh: float", "b: float", "matrices: N * float", "ups: U * float"},
       {"hiddens: float", "cells: float", "gates: float", "last_hidden: float", "last_cell: float", "round_gates: N * float"},
       compute_forward,
       {"bf16: bool", "N: int >= 1", "U: int >= 0"}},
      {"GatelmMogrifierLstmGrad",
       {"d_hiddens: float", "x: float", "hidden: float", "cell: float", "wx: float", "wh: float", "hiddens: float", "cells: float",
        "gates: float", "round_gates: N * float", "matrices: N * float", "ups: U * float"},
       {"dx: float", "d_wx: float", "d_wh: float", "d_b: float", "d_matrices: N * float", "d_ups: U * float"},
       compute_backward,
       {"bf16: bool", "N: int >= 1", "U: int >= 0"}},
      {"GatelmPackMogrifierLstm", {"wx: float", "wh: float", "matrices: N * float", "ups: U * float"}, {"packed: float"},
       compute_pack, {"bf16: bool", "N: int >= 1", "U: int >= 0"}},
      {"GatelmMogrifierLstmPacked",
       {"x: float", "hidden: float", "cell: float", "packed: float", "b: float", "rank: int32"},
       {"hiddens: float", "last_hidden: float", "last_cell: float"}, compute_packed, {"bf16: bool", "N: int >= 1"}},
  };
  for (const OpDefinition& definition : definitions) {
    if (const char* error = register_op(definition)) return error;
  }
  return nullptr;
}

}  // namespace gatelm
