// The little of TensorFlow's C API that registering and running an op of one's own needs.
#pragma once

#include <stdint.h>

#include <initializer_list>
#include <vector>

struct TF_OpKernelContext;
struct TF_Tensor;

namespace gatelm {

// What a kernel was made for; zero where the op has no such attribute.
struct OpAttributes {
  bool bf16;       // `bf16`: large products are made in bfloat16
  int32_t length;  // `N`: tensors of a list
};

// One run of an op: its inputs and outputs. A wrong input makes the op fail with a message, once.
class OpRun {
 public:
  OpRun(void* kernel, TF_OpKernelContext* context)
      : bf16(static_cast<const OpAttributes*>(kernel)->bf16),
        length(static_cast<const OpAttributes*>(kernel)->length),
        context_(context) {}
  ~OpRun();
  OpRun(const OpRun&) = delete;
  OpRun& operator=(const OpRun&) = delete;

  const bool bf16;   // see OpAttributes
  const int length;

  // Inputs, those of lists one by one.
  int inputs() const;
  // A float input. In-place ops write through it: see ops_elementwise.cc.
  float* floats(int index);
  const int32_t* ints(int index);
  std::vector<int64_t> dims(int index);
  long size(int index);
  // Allocates an output.
  float* output(int index, std::initializer_list<int64_t> dims);
  float* output(int index, const std::vector<int64_t>& dims);
  int32_t* int_output(int index, int64_t count);
  // Fails the op unless `condition`.
  bool require(bool condition, const char* message);
  // Fails the op unless each of the ids is of a list of `size`.
  bool require_ids(const int32_t* ids, long count, int64_t size, const char* message);

 private:
  TF_Tensor* input(int index);
  void* allocate(int index, int type, const std::vector<int64_t>& dims);
  TF_OpKernelContext* context_;
  std::vector<TF_Tensor*> held_;
};

struct OpDefinition {
  const char* name;
  std::initializer_list<const char*> inputs;   // "x: float", "xs: N * float"
  std::initializer_list<const char*> outputs;
  void (*compute)(void* kernel, TF_OpKernelContext* context);
  std::initializer_list<const char*> attributes = {};  // "bf16: bool", "N: int >= 1"
};

// Registers an op and its CPU kernel. @return an error message, or nullptr
const char* register_op(const OpDefinition& definition);

// The ops, file by file. @return an error message, or nullptr
const char* register_lstm_ops();
const char* register_gru_ops();
const char* register_mogrifier_ops();
const char* register_softmax_ops();
const char* register_elementwise_ops();
const char* register_inference_ops();

}  // namespace gatelm
