#pragma once

#include <stddef.h>
#include <stdint.h>

#include <vector>

namespace gatelm_test {

// FNV-1a.
struct Digest {
  uint64_t value = 14695981039346656037u;

  void add(const void* data, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) value = (value ^ static_cast<const uint8_t*>(data)[i]) * 1099511628211u;
  }
  template <typename T>
  void add(const std::vector<T>& values) {
    add(values.data(), values.size() * sizeof(T));
  }
};

}  // namespace gatelm_test
