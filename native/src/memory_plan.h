#pragma once

namespace gatelm {

// Buffers one after another in one piece of memory: asked for once to find out how much they are, and once more, in the same
// order, when there is the memory.
class MemoryPlan {
 public:
  char* bytes(long count) {
    char* here = data_ ? data_ + used_ : nullptr;
    used_ += (count + kLine - 1) / kLine * kLine;
    return here;
  }
  float* floats(long count) { return reinterpret_cast<float*>(bytes(4 * count)); }

  long used() const { return used_; }
  void begin(char* data) {
    data_ = data;
    used_ = 0;
  }

 private:
  static constexpr long kLine = 64;
  char* data_ = nullptr;
  long used_ = 0;
};

}  // namespace gatelm
