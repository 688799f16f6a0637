// Vectors of VEC floats (the vector extension of GCC and clang), compiled once a target.
// Before including: all other headers, the target, VEC, MAX_MR, and the namespace ISA_NAMESPACE.
//
// Results do not depend on the compiler: a multiplication and an addition are fused where multiply_add says so, and nowhere
// else (the build has -ffp-contract=off), and sums have the order in which they are written.

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

// a · b + c, rounded once where every processor of the target has an instruction for it, else twice.
#if VEC == 16
static inline vf multiply_add(vf a, vf b, vf c) { return (vf)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c); }
static inline vf square_root(vf x) { return (vf)_mm512_sqrt_ps((__m512)x); }
#elif VEC == 8
static inline vf multiply_add(vf a, vf b, vf c) { return (vf)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c); }
static inline vf square_root(vf x) { return (vf)_mm256_sqrt_ps((__m256)x); }
#else
static inline vf multiply_add(vf a, vf b, vf c) {
#if defined(__aarch64__)
  return (vf)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
  return a * b + c;
#endif
}
static inline vf square_root(vf x) {
  for (int lane = 0; lane < VEC; lane++) x[lane] = __builtin_sqrtf(x[lane]);
  return x;
}
#endif

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

#if defined(__clang__)
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, vi{__VA_ARGS__})  // g++ 11 has not the other
#endif

// For a transposition by halves: lanes without bit S from one row, those with it from the other. LANE: 1 … VEC.
template <int S, int... LANE>
static inline void exchange(vf& a, vf& b, Indices<LANE...>) {
  const vf first = SHUFFLE(a, b, ((LANE - 1) & S ? VEC + LANE - 1 - S : LANE - 1)...);
  const vf second = SHUFFLE(a, b, ((LANE - 1) & S ? VEC + LANE - 1 : LANE - 1 + S)...);
  a = first;
  b = second;
}

template <int S>
static inline void transpose_step(vf (&rows)[VEC]) {
#pragma GCC unroll 16
  for (int i = 0; i < VEC; i++) {
    if (!(i & S)) exchange<S>(rows[i], rows[i + S], MakeIndices<VEC>::type());
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
