// Just enough for tests without a framework: random inputs, comparisons that name what differs, a count of failures.
#pragma once

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <string>
#include <vector>

namespace gatelm_test {

typedef std::vector<float> Floats;

inline int failures = 0;

inline void expect(bool condition, const std::string& what) {
  if (condition) return;
  failures++;
  printf("FAILED: %s\n", what.c_str());
}

// Values in (−1, 1), the same ones each run.
inline Floats random_floats(long count, uint32_t seed) {
  Floats values(count);
  uint32_t state = seed * 2654435761u + 1;
  for (float& value : values) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(static_cast<int32_t>(state)) / 2147483648.0f;
  }
  return values;
}

// Compares with the reference, relative to the largest magnitude of the reference (but at least `floor`).
inline void expect_close(const Floats& actual, const std::vector<double>& expected, double tolerance,
                         const std::string& what, double floor = 1e-3) {
  double largest = floor;
  for (double value : expected) largest = fmax(largest, fabs(value));
  for (size_t i = 0; i < expected.size(); i++) {
    const double error = fabs(actual[i] - expected[i]) / largest;
    if (!(error <= tolerance)) {
      expect(false, what + "[" + std::to_string(i) + "]: " + std::to_string(actual[i]) + ", expected " +
                        std::to_string(expected[i]) + ", error " + std::to_string(error));
      return;
    }
  }
}

// What rounding to bfloat16 and back makes of a value.
inline float to_bf16(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000u;
  memcpy(&value, &bits, sizeof bits);
  return value;
}

}  // namespace gatelm_test
