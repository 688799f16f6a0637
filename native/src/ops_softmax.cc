#include "softmax_loss.h"
#include "tf_op.h"

namespace gatelm {
namespace {

// Inputs of both ops: h [M, H] or [T, N, H], w [V, H], b [V], targets int32 [M].
bool read_job(OpRun& run, SoftmaxLoss* job) {
  const auto h = run.dims(0), w = run.dims(1);
  if (!run.require(h.size() >= 2 && w.size() == 2 && h.back() == w[1] && run.size(2) == w[0] &&
                       run.size(3) * w[1] == run.size(0),
                   "h must be [M, H] or [T, N, H], w [V, H], b [V], targets [M]")) {
    return false;
  }
  *job = {run.size(3), w[1], w[0], run.bf16, run.floats(0), run.floats(1), run.floats(2), run.ints(3), nullptr};
  if (!run.require_ids(job->targets, job->rows, job->vocabulary, "a target is not below V")) return false;
  job->losses = run.output(0, {job->rows});
  return true;
}

void compute_losses(void* kernel, TF_OpKernelContext* context) {
  OpRun run(kernel, context);
  SoftmaxLoss job;
  if (read_job(run, &job)) softmax_loss(job);
}

void compute_gradients(void* kernel, TF_OpKernelContext* context) {
  OpRun run(kernel, context);
  SoftmaxLoss job;
  if (!read_job(run, &job)) return;
  softmax_loss_backward(job, run.floats(4)[0], run.output(1, run.dims(0)),
                        run.output(2, {job.vocabulary, job.hidden}), run.output(3, {job.vocabulary}));
}

}  // namespace

const char* register_softmax_ops() {
  if (const char* error =
          register_op({"GatelmSoftmaxLoss",
                       {"h: float", "w: float", "b: float", "targets: int32"},
                       {"losses: float"},
                       compute_losses,
                       {"bf16: bool"}})) {
    return error;
  }
  return register_op({"GatelmSoftmaxLossGrad",
                      {"h: float", "w: float", "b: float", "targets: int32", "scale: float"},
                      {"losses: float", "dh: float", "dw: float", "db: float"},
                      compute_gradients,
                      {"bf16: bool"}});
}

}  // namespace gatelm
