// Vectors of VEC floats (GCC's vector extension), compiled once a target.
// Before including: #pragma GCC target, VEC, MAX_MR, and the namespace ISA_NAMESPACE.

#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "isa.h"

namespace gatelm {
namespace ISA_NAMESPACE {

typedef float vf __attribute__((vector_size(4 * VEC)));
typedef int32_t vi __attribute__((vector_size(4 * VEC)));
typedef uint32_t vu __attribute__((vector_size(4 * VEC)));

static inline vf splat(float x) { return x - vf{}; }

static inline vf load(const float* p) {
  vf v;
  memcpy(&v, p, sizeof v);
  return v;
}

static inline void store(float* p, vf v) { memcpy(p, &v, sizeof v); }

// The first n of a vector; the rest is zeros. Nothing beyond them is read, or written by store_n.
static inline vf load_n(const float* p, long n) {
  if (n >= VEC) return load(p);
#if VEC == 16
  return (vf)_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), p);
#else
  vf v = {};
  memcpy(&v, p, 4 * n);
  return v;
#endif
}

static inline void store_n(float* p, vf v, long n) {
  if (n >= VEC) return store(p, v);
#if VEC == 16
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1), (__m512)v);
#else
  memcpy(p, &v, 4 * n);
#endif
}

static inline double horizontal_sum(vf v) {
  double sum = 0;
  for (int lane = 0; lane < VEC; lane++) sum += v[lane];
  return sum;
}

// These keep an `a` that is not a number: so do the instructions, which give their second operand then.
#if VEC == 16
static inline vf vmin(vf a, vf b) { return (vf)_mm512_min_ps((__m512)b, (__m512)a); }
static inline vf vmax(vf a, vf b) { return (vf)_mm512_max_ps((__m512)b, (__m512)a); }
#elif VEC == 8
static inline vf vmin(vf a, vf b) { return (vf)_mm256_min_ps((__m256)b, (__m256)a); }
static inline vf vmax(vf a, vf b) { return (vf)_mm256_max_ps((__m256)b, (__m256)a); }
#else
static inline vf vmin(vf a, vf b) { return a > b ? b : a; }
static inline vf vmax(vf a, vf b) { return a < b ? b : a; }
#endif

// For a transposition by halves: lanes without bit S from one row, those with it from the other.
template <int S>
static inline void exchange(vf& a, vf& b) {
  vi low, high;
  for (int lane = 0; lane < VEC; lane++) {
    low[lane] = lane & S ? VEC + lane - S : lane;
    high[lane] = lane & S ? VEC + lane : lane + S;
  }
  const vf first = __builtin_shuffle(a, b, low), second = __builtin_shuffle(a, b, high);
  a = first;
  b = second;
}

template <int S>
static inline void transpose_step(vf (&rows)[VEC]) {
#pragma GCC unroll 16
  for (int i = 0; i < VEC; i++) {
    if (!(i & S)) exchange<S>(rows[i], rows[i + S]);
  }
}

// rows[i][j] becomes rows[j][i].
static inline void transpose(vf (&rows)[VEC]) {
  transpose_step<1>(rows);
  transpose_step<2>(rows);
#if VEC > 4
  transpose_step<4>(rows);
#endif
#if VEC > 8
  transpose_step<8>(rows);
#endif
}

}  // namespace ISA_NAMESPACE
}  // namespace gatelm
