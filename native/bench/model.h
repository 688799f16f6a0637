// A language model made of the kernels, with all buffers that its steps need: what the benchmark runs.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <new>
#include <vector>

namespace gatelm_bench {

// Like TensorFlow's tensors: vectors do not cross lines of the cache.
template <typename T>
struct LineAllocator {
  typedef T value_type;
  LineAllocator() = default;
  template <typename U>
  LineAllocator(const LineAllocator<U>&) {}
  T* allocate(size_t count) { return static_cast<T*>(::operator new(count * sizeof(T), kLine)); }
  void deallocate(T* data, size_t) { ::operator delete(data, kLine); }
  bool operator==(const LineAllocator&) const { return true; }
  bool operator!=(const LineAllocator&) const { return false; }
  static constexpr std::align_val_t kLine{64};
};

typedef std::vector<float, LineAllocator<float>> Floats;

struct ModelShape {
  long layers;
  long hidden;      // H, and the width of the embedding
  long vocabulary;  // V
  long batch;       // N
  long time;        // T
};

class Model {
 public:
  Model(const ModelShape& shape, bool bf16);

  // Forward, backward, the norm of the gradients, an update with SGD.
  void train();

  // Packs the weights for the two that follow.
  void pack();
  // Losses of a batch.
  void evaluate();
  // The largest logits after one more token of each stream.
  void generate();

 private:
  struct Layer {
    Floats wx, wh, b, d_wx, d_wh, d_b;
    Floats packed_wx, packed_wh;
    Floats hidden, cell, next_hidden, next_cell, d_hidden, d_cell;  // [N, H]
    Floats hiddens, cells, gates;                                   // [T, N, H], [T, N, H], [T, N, 4H]
  };

  void update(Floats& value, const Floats& gradient, float gradient_scale);

  const ModelShape shape_;
  const bool bf16_;
  std::vector<int32_t> ids_, targets_, top_ids_;
  Floats embedding_, w_, b_, d_w_, d_b_, packed_w_;
  Floats x_, d_x_, d_outputs_, losses_, logits_, top_;
  std::vector<Layer> layers_;
};

}  // namespace gatelm_bench
