#include "lstm.h"
#include "source_input.h"
#include "tf_op.h"

namespace gatelm {
namespace {

// The inputs begin, from `x` on, with x, indices, hidden, cell, wx, wh.
bool read_run(OpRun& run, int x, int b, CellSource* source, LstmShape* shape) {
  if (!read_source(run, x, x + 1, source, shape)) return false;
  const int hidden = x + 2;
  const auto h_dims = run.dims(hidden), wx_dims = run.dims(x + 4), wh_dims = run.dims(x + 5);
  if (!run.require(h_dims.size() == 2 && wx_dims.size() == 2 && wh_dims.size() == 2,
                   "hidden must be [N, H], wx [D, 4H], wh [H, 4H]")) {
    return false;
  }
  shape->hidden = h_dims[1];
  const int64_t gates = 4 * shape->hidden;
  return run.require(h_dims[0] == shape->batch && wx_dims[0] == shape->input && wx_dims[1] == gates &&
                         wh_dims[0] == shape->hidden && wh_dims[1] == gates && (b < 0 || run.size(b) == gates) &&
                         run.size(hidden + 1) == run.size(hidden),
                     "the shapes of x [T, N, D], hidden and cell [N, H], wx [D, 4H], wh [H, 4H], b [4H] do not fit each other");
}

void compute_forward(void* kernel, TF_OpKernelContext* context) {
  OpRun run(kernel, context);
  CellSource source;
  LstmShape shape;
  if (!read_run(run, 0, 6, &source, &shape)) return;
  const long T = shape.time, N = shape.batch, H = shape.hidden;
  lstm_forward({shape, run.bf16, source, run.floats(2), run.floats(3), run.floats(4), run.floats(5),
                run.floats(6), run.output(0, {T, N, H}), run.output(1, {T, N, H}), run.output(2, {T, N, 4 * H}),
                run.output(3, {N, H}), run.output(4, {N, H})});
}

void compute_backward(void* kernel, TF_OpKernelContext* context) {
  OpRun run(kernel, context);
  CellSource source;
  LstmShape shape;
  if (!read_run(run, 1, -1, &source, &shape)) return;
  const long T = shape.time, N = shape.batch, D = shape.input, H = shape.hidden;
  const long steps = T * N * H;
  if (!run.require(run.size(0) == steps && run.size(7) == steps && run.size(8) == steps && run.size(9) == 4 * steps,
                   "dHiddens, hiddens and cells must be [T, N, H], gates [T, N, 4H]")) {
    return;
  }
  lstm_backward({shape, run.bf16, run.floats(0), source, run.floats(3), run.floats(4),
                 run.floats(5), run.floats(6), run.floats(7), run.floats(8), run.floats(9), run.output(0, run.dims(1)),
                 run.output(1, {D, 4 * H}), run.output(2, {H, 4 * H}), run.output(3, {4 * H}), run.output(4, {N, H}),
                 run.output(5, {N, H})});
}

}  // namespace

const char* register_lstm_ops() {
  if (const char* error = register_op(
          {"GatelmLstm",
           {"x: float", "indices: int32", "hidden: float", "cell: float", "wx: float", "wh: float", "b: float"},
           {"hiddens: float", "cells: float", "gates: float", "last_hidden: float", "last_cell: float"},
           compute_forward,
           {"bf16: bool"}})) {
    return error;
  }
  return register_op({"GatelmLstmGrad",
                      {"d_hiddens: float", "x: float", "indices: int32", "hidden: float", "cell: float", "wx: float", "wh: float",
                       "hiddens: float", "cells: float", "gates: float"},
                      {"dx: float", "d_wx: float", "d_wh: float", "d_b: float", "d_hidden: float", "d_cell: float"},
                      compute_backward,
                      {"bf16: bool"}});
}

}  // namespace gatelm
