// AVX-512 with bfloat16 products: vdpbf16ps multiplies pairs and adds them up in float32.
#if defined(__x86_64__)
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,fma,prefer-vector-width=512")

#include <immintrin.h>

#define VEC 16
#define MAX_MR 14
#define ISA_NAMESPACE avx512_bf16
#define ISA_TABLE avx512_bf16_isa
#define HAS_BF16

#include "isa.inl"

namespace gatelm {
namespace avx512_bf16 {

// 16 floats as 16 bfloat16, each in the low half of a 32-bit lane.
static inline __m512i to_bf16_lanes(__m512 x) { return _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(x)); }

// Element n of `low` and element n of `high`, side by side.
static inline __m512i pair_up(__m512 low, __m512 high) {
  return _mm512_or_si512(to_bf16_lanes(low), _mm512_slli_epi32(to_bf16_lanes(high), 16));
}

static inline __mmask16 first(long n) { return n >= 16 ? 0xffff : static_cast<__mmask16>((1u << n) - 1); }

// One line of floats with a stride of 1 along k, as pairs: out[pair · width + position].
static inline void scatter_pairs(const float* line, long depth, long width, uint32_t* out) {
  alignas(32) uint32_t pairs[8];
  for (long d = 0; d < depth; d += 16) {
    const long n = depth - d;
    const __m512 x = _mm512_maskz_loadu_ps(first(n), line + d);
    _mm256_store_si256(reinterpret_cast<__m256i*>(pairs), (__m256i)_mm512_cvtneps_pbh(x));
    const long count = n >= 16 ? 8 : (n + 1) / 2;
    for (long p = 0; p < count; p++) out[(d / 2 + p) * width] = pairs[p];
  }
}

static void pack_a_bf16(const MatrixView& a, long row, long rows, int mr, long k, long depth, uint16_t* out16) {
  uint32_t* out = reinterpret_cast<uint32_t*>(out16);
  const long here = rows - row < mr ? rows - row : mr;
  const float* from = a.data + row * a.row_stride + k * a.column_stride;
  if (a.row_stride == 1) {
    for (long d = 0; d < depth; d += 2) {
      const __m512 low = _mm512_maskz_loadu_ps(first(here), from + d * a.column_stride);
      const __m512 high = d + 1 < depth ? _mm512_maskz_loadu_ps(first(here), from + (d + 1) * a.column_stride)
                                        : _mm512_setzero_ps();
      _mm512_mask_storeu_epi32(out + d / 2 * mr, first(mr), pair_up(low, high));
    }
    return;
  }
  if (here < mr) memset(out, 0, sizeof(uint32_t) * mr * ((depth + 1) / 2));
  for (long r = 0; r < here; r++) scatter_pairs(from + r * a.row_stride, depth, mr, out + r);
}

static void pack_b_bf16(const MatrixView& b, long column, long columns, long k, long depth, uint16_t* out16) {
  uint32_t* out = reinterpret_cast<uint32_t*>(out16);
  const long here = columns - column < kNr ? columns - column : kNr;
  const float* from = b.data + k * b.row_stride + column * b.column_stride;
  if (b.column_stride == 1) {
    const __mmask16 left = first(here), right = here > 16 ? first(here - 16) : 0;
    for (long d = 0; d < depth; d += 2) {
      const float* even = from + d * b.row_stride;
      const bool last = d + 1 >= depth;
      const float* odd = last ? even : even + b.row_stride;
      const __mmask16 odd_left = last ? 0 : left, odd_right = last ? 0 : right;
      uint32_t* to = out + d / 2 * kNr;
      _mm512_storeu_si512(to, pair_up(_mm512_maskz_loadu_ps(left, even), _mm512_maskz_loadu_ps(odd_left, odd)));
      _mm512_storeu_si512(to + 16, pair_up(_mm512_maskz_loadu_ps(right, even + 16),
                                           _mm512_maskz_loadu_ps(odd_right, odd + 16)));
    }
    return;
  }
  if (here < kNr) memset(out, 0, sizeof(uint32_t) * kNr * ((depth + 1) / 2));
  for (long c = 0; c < here; c++) scatter_pairs(from + c * b.column_stride, depth, kNr, out + c);
}

template <int MR>
static void tile_bf16_of(long pairs, const uint16_t* a16, const uint16_t* b16, float* c, long ldc, int rows,
                         int columns, bool accumulate) {
  const uint32_t* a = reinterpret_cast<const uint32_t*>(a16);
  const uint32_t* b = reinterpret_cast<const uint32_t*>(b16);
  __m512 sum[MR][2];
#pragma GCC unroll 16
  for (int r = 0; r < MR; r++) sum[r][0] = sum[r][1] = _mm512_setzero_ps();
  for (long p = 0; p < pairs; p++, a += MR, b += kNr) {
    const __m512bh b0 = (__m512bh)_mm512_loadu_si512(b), b1 = (__m512bh)_mm512_loadu_si512(b + 16);
#pragma GCC unroll 16
    for (int r = 0; r < MR; r++) {
      const __m512bh ar = (__m512bh)_mm512_set1_epi32(static_cast<int>(a[r]));
      sum[r][0] = _mm512_dpbf16_ps(sum[r][0], ar, b0);
      sum[r][1] = _mm512_dpbf16_ps(sum[r][1], ar, b1);
    }
  }
  vf plain[MR][2];
  memcpy(plain, sum, sizeof plain);
  put_tile<MR>(plain, c, ldc, rows, columns, accumulate);
}

typedef void (*TileBf16Fn)(long, const uint16_t*, const uint16_t*, float*, long, int, int, bool);

template <int... MR>
static TileBf16Fn tile_bf16_function(int mr, Indices<MR...>) {
  static const TileBf16Fn functions[] = {tile_bf16_of<MR>...};
  return functions[mr - 1];
}

static void tile_bf16(int mr, long pairs, const uint16_t* a, const uint16_t* b, float* c, long ldc, int rows,
                      int columns, bool accumulate) {
  tile_bf16_function(mr, MakeIndices<MAX_MR>::type())(pairs, a, b, c, ldc, rows, columns, accumulate);
}

}  // namespace avx512_bf16
}  // namespace gatelm

#include "isa_table.inl"
#endif
