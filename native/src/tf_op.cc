#include "tf_op.h"

#include <stdio.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <algorithm>

#include "tensorflow/c/kernels.h"
#include "tensorflow/c/ops.h"
#include "tensorflow/c/tf_status.h"
#include "tensorflow/c/tf_tensor.h"

namespace gatelm {
namespace {

struct Status {
  TF_Status* status = TF_NewStatus();
  ~Status() { TF_DeleteStatus(status); }
  bool ok() const { return TF_GetCode(status) == TF_OK; }
};

void* create_kernel(TF_OpKernelConstruction* construction) {
  Status bf16_status, length_status;  // not every op has them
  unsigned char bf16 = 0;
  int32_t length = 0;
  TF_OpKernelConstruction_GetAttrBool(construction, "bf16", &bf16, bf16_status.status);
  TF_OpKernelConstruction_GetAttrInt32(construction, "N", &length, length_status.status);
  return new OpAttributes{bf16_status.ok() && bf16 != 0, length_status.ok() ? length : 0};
}

void delete_kernel(void* kernel) { delete static_cast<OpAttributes*>(kernel); }

// Large tensors are read and written from end to end, twice as fast on huge pages. An output is not touched yet: it will
// have them. The pages of an input are collapsed where the kernel can (Linux 6.1): 40 ms for 26 MB the first time, 2 µs
// from then on.
void prefer_huge_pages(void* data, size_t bytes, bool touched) {
#if defined(__linux__)
  constexpr size_t kHuge = 2 << 20, kWorthIt = 2 * kHuge;
  constexpr int kCollapse = 25;  // MADV_COLLAPSE, which older headers lack
  if (bytes < kWorthIt) return;
  const uintptr_t begin = (reinterpret_cast<uintptr_t>(data) + kHuge - 1) / kHuge * kHuge;
  const uintptr_t end = (reinterpret_cast<uintptr_t>(data) + bytes) / kHuge * kHuge;
  if (end <= begin) return;
  madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
  if (touched) madvise(reinterpret_cast<void*>(begin), end - begin, kCollapse);
#else
  (void)data;
  (void)bytes;
  (void)touched;
#endif
}

// Shapes are known when the op runs; eager execution does not ask before.
void unknown_shapes(TF_ShapeInferenceContext* context, TF_Status* status) {
  TF_ShapeInferenceContextSetUnknownShape(context, status);
}

}  // namespace

OpRun::~OpRun() {
  for (TF_Tensor* tensor : held_) TF_DeleteTensor(tensor);
}

int OpRun::inputs() const { return TF_NumInputs(context_); }

TF_Tensor* OpRun::input(int index) {
  Status status;
  TF_Tensor* tensor = nullptr;
  TF_GetInput(context_, index, &tensor, status.status);
  if (!status.ok()) {
    TF_OpKernelContext_Failure(context_, status.status);
    return nullptr;
  }
  held_.push_back(tensor);
  return tensor;
}

float* OpRun::floats(int index) {
  TF_Tensor* tensor = input(index);
  prefer_huge_pages(TF_TensorData(tensor), TF_TensorByteSize(tensor), true);
  return static_cast<float*>(TF_TensorData(tensor));
}

const int32_t* OpRun::ints(int index) { return static_cast<const int32_t*>(TF_TensorData(input(index))); }

std::vector<int64_t> OpRun::dims(int index) {
  TF_Tensor* tensor = input(index);
  std::vector<int64_t> dims;
  for (int axis = 0; axis < TF_NumDims(tensor); axis++) dims.push_back(TF_Dim(tensor, axis));
  return dims;
}

long OpRun::size(int index) { return TF_TensorElementCount(input(index)); }

float* OpRun::output(int index, std::initializer_list<int64_t> dims) { return output(index, std::vector<int64_t>(dims)); }

float* OpRun::output(int index, const std::vector<int64_t>& dims) {
  return static_cast<float*>(allocate(index, TF_FLOAT, dims));
}

int32_t* OpRun::int_output(int index, int64_t count) {
  return static_cast<int32_t*>(allocate(index, TF_INT32, {count}));
}

void* OpRun::allocate(int index, int type, const std::vector<int64_t>& dims) {
  size_t bytes = 4;
  for (int64_t dim : dims) bytes *= dim;
  Status status;
  TF_Tensor* tensor = TF_AllocateOutput(context_, index, static_cast<TF_DataType>(type), dims.data(),
                                        static_cast<int>(dims.size()), bytes, status.status);
  if (!status.ok()) {
    TF_OpKernelContext_Failure(context_, status.status);
    return nullptr;
  }
  held_.push_back(tensor);
  prefer_huge_pages(TF_TensorData(tensor), TF_TensorByteSize(tensor), false);
  return TF_TensorData(tensor);
}

bool OpRun::require(bool condition, const char* message) {
  if (condition) return true;
  Status status;
  TF_SetStatus(status.status, TF_INVALID_ARGUMENT, message);
  TF_OpKernelContext_Failure(context_, status.status);
  return false;
}

bool OpRun::require_ids(const int32_t* ids, long count, int64_t size, const char* message) {
  return require(std::all_of(ids, ids + count, [=](int32_t id) { return id >= 0 && id < size; }), message);
}

const char* register_op(const OpDefinition& definition) {
  static char message[512];
  Status status;
  TF_OpDefinitionBuilder* op = TF_NewOpDefinitionBuilder(definition.name);
  for (const char* input : definition.inputs) TF_OpDefinitionBuilderAddInput(op, input);
  for (const char* output : definition.outputs) TF_OpDefinitionBuilderAddOutput(op, output);
  for (const char* attribute : definition.attributes) TF_OpDefinitionBuilderAddAttr(op, attribute);
  TF_OpDefinitionBuilderSetIsStateful(op, true);  // never folded, never shared: some ops write in place
  TF_OpDefinitionBuilderSetShapeInferenceFunction(op, unknown_shapes);
  TF_RegisterOpDefinition(op, status.status);
  if (status.ok()) {
    TF_KernelBuilder* kernel =
        TF_NewKernelBuilder(definition.name, "CPU", create_kernel, definition.compute, delete_kernel);
    TF_RegisterKernelBuilder(definition.name, kernel, status.status);
  }
  if (status.ok()) return nullptr;
  snprintf(message, sizeof message, "%s: %s", definition.name, TF_Message(status.status));
  return message;
}

}  // namespace gatelm
