#pragma once

#include <stdint.h>

namespace gatelm {

// Large weights lie on huge pages from their first to their last byte: with small ones a step that reads megabytes of
// them waits for the translation of their addresses. So the tensor has room to begin where a huge page does.
constexpr uintptr_t kHugePage = 2 << 20;
constexpr long kLargeWeights = 1 << 20;

inline long packed_bytes(long bytes) { return bytes < kLargeWeights ? bytes : (bytes + 2 * kHugePage - 1) / kHugePage * kHugePage; }
inline long room(long bytes) { return packed_bytes(bytes) / 4; }

inline float* begin_of(float* tensor, long bytes) {
  const uintptr_t address = reinterpret_cast<uintptr_t>(tensor);
  return bytes < kLargeWeights ? tensor : reinterpret_cast<float*>((address + kHugePage - 1) / kHugePage * kHugePage);
}

}  // namespace gatelm
