// Pairs of bfloat16 as the elements of isa_products.inl. A lane holds the pair of one line: k in its low half, k + 1 in
// its high half. Converting rounds to nearest even.

namespace gatelm {
namespace ISA_NAMESPACE {

struct BFloat16 {
  static constexpr int kDepth = 2;

  static vf across(const float* even, const float* odd, long n) {
    const __m512i halves = (__m512i)pairs(load_n(even, n), odd ? load_n(odd, n) : vf{});
    const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5,
                                           20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    return (vf)_mm512_permutexvar_epi16(order, halves);
  }

  static vf along(const float* line, long n) {
    const vf low = load_n(line, n), high = n > VEC ? load_n(line + VEC, n - VEC) : vf{};
    return pairs(low, high);
  }

  // Two vectors of a line as its pairs, in order.
  static vf pairs(vf low, vf high) { return (vf)_mm512_cvtne2ps_pbh((__m512)high, (__m512)low); }

  // Pairs of two lines, made of what pairs() gave of each: for each element of a line, it and that of the other.
  static void interleave(vf even, vf odd, float* out) {
    __m512i order = _mm512_set_epi16(47, 15, 46, 14, 45, 13, 44, 12, 43, 11, 42, 10, 41, 9, 40, 8, 39, 7, 38, 6, 37, 5,
                                     36, 4, 35, 3, 34, 2, 33, 1, 32, 0);
    store(out, (vf)_mm512_permutex2var_epi16((__m512i)even, order, (__m512i)odd));
    order = _mm512_add_epi16(order, _mm512_set1_epi16(16));
    store(out + VEC, (vf)_mm512_permutex2var_epi16((__m512i)even, order, (__m512i)odd));
  }

  static vf broadcast(const float* element) { return (vf)_mm512_set1_ps(*element); }

  static vf multiply_add(vf sum, vf a, vf b) {
#if defined(__clang_major__) && __clang_major__ < 19
    __asm__("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));  // clang 16 crashes on the intrinsic of a broadcast
    return sum;
#else
    return (vf)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
#endif
  }
};

}  // namespace ISA_NAMESPACE
}  // namespace gatelm
