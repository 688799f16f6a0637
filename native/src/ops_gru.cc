#include "gru.h"
#include "packed_tensor.h"
#include "source_input.h"
#include "tf_op.h"

namespace gatelm {
namespace {

// The inputs begin, from `x` on, with x, indices, hidden [N, H].
bool read_run(OpRun& run, int x, CellSource* source, LstmShape* shape) {
  if (!read_source(run, x, x + 1, source, shape)) return false;
  const auto h_dims = run.dims(x + 2);
  if (!run.require(h_dims.size() == 2 && h_dims[0] == shape->batch, "hidden must be [N, H]")) return false;
  shape->hidden = h_dims[1];
  return true;
}

bool gru_weights(OpRun& run, const LstmShape& shape, int wx, int wh) {
  const int64_t D = shape.input, H = shape.hidden;
  return run.require(run.dims(wx) == std::vector<int64_t>({D, 3 * H}) && run.dims(wh) == std::vector<int64_t>({H, 3 * H}),
                     "wx must be [D, 3H], wh [H, 3H]");
}

void compute_forward(void* kernel, TF_OpKernelContext* context) {
  OpRun run(kernel, context);
  CellSource source;
  LstmShape shape;
  if (!read_run(run, 0, &source, &shape) || !gru_weights(run, shape, 3, 4)) return;
  const long T = shape.time, N = shape.batch, H = shape.hidden;
  if (!run.require(run.size(5) == 4 * H, "b must be [4H]")) return;
  gru_forward({shape, run.bf16, source, run.floats(2), run.floats(3), run.floats(4), run.floats(5),
               run.output(0, {T, N, H}), run.output(1, {T, N, 4 * H}), run.output(2, {N, H})});
}

void compute_backward(void* kernel, TF_OpKernelContext* context) {
  OpRun run(kernel, context);
  CellSource source;
  LstmShape shape;
  if (!read_run(run, 1, &source, &shape) || !gru_weights(run, shape, 4, 5)) return;
  const long T = shape.time, N = shape.batch, D = shape.input, H = shape.hidden, steps = T * N * H;
  if (!run.require(run.size(0) == steps && run.size(6) == steps && run.size(7) == 4 * steps,
                   "dHiddens and hiddens must be [T, N, H], gates [T, N, 4H]")) {
    return;
  }
  gru_backward({shape, run.bf16, run.floats(0), source, run.floats(3), run.floats(4), run.floats(5), run.floats(6),
                run.floats(7), run.output(0, run.dims(1)), run.output(1, {D, 3 * H}), run.output(2, {H, 3 * H}),
                run.output(3, {4 * H}), run.output(4, {N, H})});
}

void compute_pack(void* kernel, TF_OpKernelContext* context) {
  OpRun run(kernel, context);
  const auto wx = run.dims(0), wh = run.dims(1);
  if (!run.require(wx.size() == 2 && wh.size() == 2, "wx must be [D, 3H], wh [H, 3H]")) return;
  if (!gru_weights(run, {1, 1, wx[0], wh[0]}, 0, 1)) return;
  const long bytes = packed_gru_bytes(wx[0], wh[0], run.bf16);
  pack_gru(run.floats(0), run.floats(1), wx[0], wh[0], run.bf16, begin_of(run.output(0, {room(bytes)}), bytes));
}

void compute_packed(void* kernel, TF_OpKernelContext* context) {
  OpRun run(kernel, context);
  CellSource source;
  LstmShape shape;
  if (!read_run(run, 0, &source, &shape)) return;
  const long T = shape.time, N = shape.batch, H = shape.hidden, bytes = packed_gru_bytes(shape.input, H, run.bf16);
  if (!run.require(run.size(3) == room(bytes) && run.size(4) == 4 * H, "the packed weights are of another size or precision")) {
    return;
  }
  gru_forward({shape, run.bf16, source, run.floats(2), nullptr, nullptr, run.floats(4), run.output(0, {T, N, H}), nullptr,
               run.output(1, {N, H}), begin_of(run.floats(3), bytes)});
}

}  // namespace

const char* register_gru_ops() {
  const OpDefinition definitions[] = {
      {"GatelmGru", {"x: float", "indices: int32", "hidden: float", "wx: float", "wh: float", "b: float"},
       {"hiddens: float", "gates: float", "last_hidden: float"}, compute_forward, {"bf16: bool"}},
      {"GatelmGruGrad",
       {"d_hiddens: float", "x: float", "indices: int32", "hidden: float", "wx: float", "wh: float", "hiddens: float", "gates: float"},
       {"dx: float", "d_wx: float", "d_wh: float", "d_b: float", "d_hidden: float"}, compute_backward, {"bf16: bool"}},
      {"GatelmPackGru", {"wx: float", "wh: float"}, {"packed: float"}, compute_pack, {"bf16: bool"}},
      {"GatelmGruPacked", {"x: float", "indices: int32", "hidden: float", "packed: float", "b: float"},
       {"hiddens: float", "last_hidden: float"}, compute_packed, {"bf16: bool"}},
  };
  for (const OpDefinition& definition : definitions) {
    if (const char* error = register_op(definition)) return error;
  }
  return nullptr;
}

}  // namespace gatelm
