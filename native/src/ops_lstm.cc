#include "lstm.h"
#include "tf_op.h"

namespace gatelm {
namespace {

bool lstm_shapes(OpRun& run, int x, int hidden, int wx, int wh, int b, LstmShape* shape) {
  const auto x_dims = run.dims(x), h_dims = run.dims(hidden), wx_dims = run.dims(wx), wh_dims = run.dims(wh);
  if (!run.require(x_dims.size() == 3 && h_dims.size() == 2 && wx_dims.size() == 2 && wh_dims.size() == 2,
                   "x must be [T, N, D], hidden [N, H], wx [D, 4H], wh [H, 4H]")) {
    return false;
  }
  *shape = {x_dims[0], x_dims[1], x_dims[2], h_dims[1]};
  const int64_t gates = 4 * shape->hidden;
  return run.require(h_dims[0] == shape->batch && wx_dims[0] == shape->input && wx_dims[1] == gates &&
                         wh_dims[0] == shape->hidden && wh_dims[1] == gates && (b < 0 || run.size(b) == gates) &&
                         run.size(hidden + 1) == run.size(hidden),
                     "the shapes of x [T, N, D], hidden and cell [N, H], wx [D, 4H], wh [H, 4H], b [4H] do not fit each other");
}

void compute_forward(void* kernel, TF_OpKernelContext* context) {
  OpRun run(kernel, context);
  LstmShape shape;
  if (!lstm_shapes(run, 0, 1, 3, 4, 5, &shape)) return;
  const long T = shape.time, N = shape.batch, H = shape.hidden;
  lstm_forward({shape, run.bf16, run.floats(0), run.floats(1), run.floats(2), run.floats(3), run.floats(4),
                run.floats(5), run.output(0, {T, N, H}), run.output(1, {T, N, H}), run.output(2, {T, N, 4 * H}),
                run.output(3, {N, H}), run.output(4, {N, H})});
}

void compute_backward(void* kernel, TF_OpKernelContext* context) {
  OpRun run(kernel, context);
  LstmShape shape;
  if (!lstm_shapes(run, 1, 2, 4, 5, -1, &shape)) return;
  const long T = shape.time, N = shape.batch, D = shape.input, H = shape.hidden;
  const long steps = T * N * H;
  if (!run.require(run.size(0) == steps && run.size(6) == steps && run.size(7) == steps && run.size(8) == 4 * steps,
                   "dHiddens, hiddens and cells must be [T, N, H], gates [T, N, 4H]")) {
    return;
  }
  lstm_backward({shape, run.bf16, run.floats(0), run.floats(1), run.floats(2), run.floats(3),
                 run.floats(4), run.floats(5), run.floats(6), run.floats(7), run.floats(8), run.output(0, {T, N, D}),
                 run.output(1, {D, 4 * H}), run.output(2, {H, 4 * H}), run.output(3, {4 * H}), run.output(4, {N, H}),
                 run.output(5, {N, H})});
}

}  // namespace

const char* register_lstm_ops() {
  if (const char* error = register_op(
          {"GatelmLstm",
           {"x: float", "hidden: float", "cell: float", "wx: float", "wh: float", "b: float"},
           {"hiddens: float", "cells: float", "gates: float", "last_hidden: float", "last_cell: float"},
           compute_forward,
           {"bf16: bool"}})) {
    return error;
  }
  return register_op({"GatelmLstmGrad",
                      {"d_hiddens: float", "x: float", "hidden: float", "cell: float", "wx: float", "wh: float",
                       "hiddens: float", "cells: float", "gates: float"},
                      {"dx: float", "d_wx: float", "d_wh: float", "d_b: float", "d_hidden: float", "d_cell: float"},
                      compute_backward,
                      {"bf16: bool"}});
}

}  // namespace gatelm
