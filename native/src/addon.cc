// Registers gatelm's ops with the libtensorflow that tfjs-node has loaded. tfjs then runs them by name, like any other.
#include <node_api.h>

#include <mutex>

#include "cpu.h"
#include "isa.h"
#include "tf_op.h"
#include "thread_pool.h"

namespace {

const char* register_all() {
  for (auto* ops : {gatelm::register_lstm_ops, gatelm::register_gru_ops, gatelm::register_mogrifier_ops,
                    gatelm::register_softmax_ops, gatelm::register_elementwise_ops, gatelm::register_inference_ops}) {
    if (const char* error = ops()) return error;
  }
  return nullptr;
}

void set(napi_env env, napi_value object, const char* name, napi_value value) {
  napi_set_named_property(env, object, name, value);
}

}  // namespace

// Loaded once a thread; the ops are registered once a process. Exports { cpu, best, bfloat16, threads }.
NAPI_MODULE_INIT() {
  static std::once_flag once;
  static const char* error = nullptr;
  std::call_once(once, [] { error = register_all(); });
  if (error) {
    napi_throw_error(env, nullptr, error);
    return exports;
  }
  napi_value value;
  napi_create_string_utf8(env, gatelm::cpu_path_name(gatelm::cpu_path()), NAPI_AUTO_LENGTH, &value);
  set(env, exports, "cpu", value);
  napi_create_string_utf8(env, gatelm::cpu_path_name(gatelm::best_cpu_path()), NAPI_AUTO_LENGTH, &value);
  set(env, exports, "best", value);
  napi_get_boolean(env, gatelm::isa().bfloat16.max_mr > 0, &value);
  set(env, exports, "bfloat16", value);
  napi_create_int32(env, gatelm::team_size(), &value);
  set(env, exports, "threads", value);
  return exports;
}
