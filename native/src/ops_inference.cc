// Evaluation and generation: no gradient follows, so nothing is kept for one, and the weights are packed once for many
// calls. What packing gives is a flat float tensor whose bytes only these ops understand; it belongs to this machine and
// to this process (the width of its panels is the processor's).
#include <algorithm>
#include <utility>
#include <vector>

#include "gemm.h"
#include "lstm.h"
#include "packed_tensor.h"
#include "rows.h"
#include "softmax_loss.h"
#include "source_input.h"
#include "tf_op.h"
#include "thread_pool.h"
#include "top_logits.h"

namespace gatelm {
namespace {

// wx [D, 4H], wh [H, 4H].
void compute_pack_lstm(void* kernel, TF_OpKernelContext* context) {
  OpRun run(kernel, context);
  const auto wx = run.dims(0), wh = run.dims(1);
  if (!run.require(wx.size() == 2 && wh.size() == 2 && wx[1] == wh[1] && wh[1] == 4 * wh[0],
                   "wx must be [D, 4H], wh [H, 4H]")) {
    return;
  }
  const bool bf16 = run.bf16;
  const long wx_bytes = packed_wx_bytes(wx[0], wh[0], bf16), wh_bytes = packed_wh_bytes(wh[0], bf16);
  pack_wx(run.floats(0), wx[0], wh[0], bf16, begin_of(run.output(0, {room(wx_bytes)}), wx_bytes));
  pack_wh(run.floats(1), wh[0], bf16, begin_of(run.output(1, {room(wh_bytes)}), wh_bytes));
}

// w [V, H].
void compute_pack_output(void* kernel, TF_OpKernelContext* context) {
  OpRun run(kernel, context);
  const auto w = run.dims(0);
  if (!run.require(w.size() == 2, "w must be [V, H]")) return;
  const bool bf16 = run.bf16;
  const long bytes = packed_output_bytes(w[1], w[0], bf16);
  pack_output_weights(run.floats(0), w[1], w[0], bf16, begin_of(run.output(0, {room(bytes)}), bytes));
}

// A layer's inputs lie `stride` apart, from `first` on: hidden [N, H], cell [N, H], packed wx, packed wh, b [4H].
// @return whether they fit x [T, N, D]; then `job` has them, but for x
bool read_layer(OpRun& run, int first, int stride, long time, long batch, long input, LstmForward* job) {
  const auto at = [&](int i) { return first + i * stride; };
  const auto h = run.dims(at(0));
  if (!run.require(h.size() == 2 && h[0] == batch, "hidden must be [N, H] for x [T, N, D]")) return false;
  const LstmShape shape{time, batch, input, h[1]};
  const long wx_bytes = packed_wx_bytes(input, h[1], run.bf16), wh_bytes = packed_wh_bytes(h[1], run.bf16);
  if (!run.require(run.size(at(1)) == run.size(at(0)) && run.size(at(4)) == 4 * h[1] &&
                       run.size(at(2)) == room(wx_bytes) && run.size(at(3)) == room(wh_bytes),
                   "the packed weights are of another size or precision")) {
    return false;
  }
  job->shape = shape;
  job->bf16 = run.bf16;
  job->hidden0 = run.floats(at(0));
  job->cell0 = run.floats(at(1));
  job->packed_wx = begin_of(run.floats(at(2)), wx_bytes);
  job->packed_wh = begin_of(run.floats(at(3)), wh_bytes);
  job->b = run.floats(at(4));
  return true;
}

// x and indices, then a layer.
void compute_lstm(void* kernel, TF_OpKernelContext* context) {
  OpRun run(kernel, context);
  LstmShape shape;
  LstmForward job{};
  if (!read_source(run, 0, 1, &job.source, &shape)) return;
  const long T = shape.time, N = shape.batch;
  if (!read_layer(run, 2, 1, T, N, shape.input, &job)) return;
  const long H = job.shape.hidden;
  job.hiddens = run.output(0, {T, N, H});
  job.last_hidden = run.output(1, {N, H});
  job.last_cell = run.output(2, {N, H});
  lstm_forward(job);
}

// Inputs of both ops: h [M, H] or [T, N, H], packed w, b [V].
bool read_output_job(OpRun& run, SoftmaxLoss* job) {
  const auto h = run.dims(0);
  const long vocabulary = run.size(2);
  const long bytes = h.size() >= 2 ? packed_output_bytes(h.back(), vocabulary, run.bf16) : 0;
  if (!run.require(h.size() >= 2 && h.back() > 0 && run.size(1) == room(bytes),
                   "h must be [M, H] or [T, N, H]; the packed weights are of another size or precision")) {
    return false;
  }
  *job = {run.size(0) / h.back(), h.back(), vocabulary, run.bf16, run.floats(0), nullptr, run.floats(2), nullptr,
          nullptr, begin_of(run.floats(1), bytes)};
  return true;
}

void compute_logits(void* kernel, TF_OpKernelContext* context) {
  OpRun run(kernel, context);
  SoftmaxLoss job;
  if (read_output_job(run, &job)) logits(job, run.output(0, {job.rows, job.vocabulary}));
}

// And targets [M].
void compute_losses(void* kernel, TF_OpKernelContext* context) {
  OpRun run(kernel, context);
  SoftmaxLoss job;
  if (!read_output_job(run, &job)) return;
  job.targets = run.ints(3);
  if (!run.require(run.size(3) == job.rows, "targets must be [M]")) return;
  if (!run.require_ids(job.targets, job.rows, job.vocabulary, "a target is not below V")) return;
  job.losses = run.output(0, {job.rows});
  softmax_loss(job);
}

// A step of a whole model: the likeliest tokens after one more token of each stream. ids [N], count int32 [1], embedding
// [V, D], packed output weights, output bias [V]; of each layer: hidden and cell, which become those after the step, in
// place, packed wx, packed wh, b. Values [N, count], the largest first, with their ids as one list, row after row.
void compute_next_tokens(void* kernel, TF_OpKernelContext* context) {
  OpRun run(kernel, context);
  const TeamTurn turn;
  const auto table = run.dims(2);
  const long streams = run.size(0), k = run.ints(1)[0], vocabulary = run.size(4);
  if (!run.require(table.size() == 2 && table[0] == vocabulary && k >= 0 && k <= vocabulary,
                   "the embedding must be [V, D], the output bias [V], count at most V")) {
    return;
  }
  const int32_t* ids = run.ints(0);
  if (!run.require_ids(ids, streams, vocabulary, "a token is not below V")) return;
  std::vector<LstmForward> layers(run.length);
  long width = table[1], widest = width;
  for (int layer = 0; layer < run.length; layer++) {
    LstmForward& job = layers[layer];
    if (!read_layer(run, 5 + layer, run.length, 1, streams, width, &job)) return;
    job.last_hidden = run.floats(5 + layer);
    job.last_cell = run.floats(5 + run.length + layer);
    width = job.shape.hidden;
    widest = std::max(widest, width);
  }
  const long bytes = packed_output_bytes(width, vocabulary, run.bf16);
  if (!run.require(run.size(3) == room(bytes), "the packed weights are of another size or precision")) return;
  float* x = Workspace::floats(Workspace::kInputs, streams * widest);
  float* hiddens = Workspace::floats(Workspace::kOutputs, streams * widest);
  copy_rows(run.floats(2), ids, streams, table[1], x);
  for (LstmForward& job : layers) {
    job.source = x;
    job.hiddens = hiddens;
    lstm_forward(job);
    std::swap(x, hiddens);
  }
  float* scores = Workspace::floats(Workspace::kLogits, streams * vocabulary);
  logits({streams, width, vocabulary, run.bf16, x, nullptr, run.floats(4), nullptr, nullptr, begin_of(run.floats(3), bytes)},
         scores);
  top_logits(scores, streams, vocabulary, k, run.output(0, {streams, k}), run.int_output(1, streams * k));
}

}  // namespace

const char* register_inference_ops() {
  const OpDefinition definitions[] = {
      {"GatelmPackLstm", {"wx: float", "wh: float"}, {"packed_wx: float", "packed_wh: float"}, compute_pack_lstm,
       {"bf16: bool"}},
      {"GatelmPackOutput", {"w: float"}, {"packed: float"}, compute_pack_output, {"bf16: bool"}},
      {"GatelmLstmPacked",
       {"x: float", "indices: int32", "hidden: float", "cell: float", "packed_wx: float", "packed_wh: float", "b: float"},
       {"hiddens: float", "last_hidden: float", "last_cell: float"}, compute_lstm, {"bf16: bool"}},
      {"GatelmLogitsPacked", {"h: float", "packed: float", "b: float"}, {"logits: float"}, compute_logits, {"bf16: bool"}},
      {"GatelmSoftmaxLossPacked", {"h: float", "packed: float", "b: float", "targets: int32"}, {"losses: float"}, compute_losses,
       {"bf16: bool"}},
      {"GatelmNextTokens",
       {"token_ids: int32", "count: int32", "embedding: float", "packed_output: float", "output_b: float",
        "hiddens: N * float", "cells: N * float", "packed_wxs: N * float", "packed_whs: N * float", "bs: N * float"},
       {"values: float", "ids: int32"}, compute_next_tokens,
       {"bf16: bool", "N: int >= 1"}},
  };
  for (const OpDefinition& definition : definitions) {
    if (const char* error = register_op(definition)) return error;
  }
  return nullptr;
}

}  // namespace gatelm
