// Random masks that are functions of a key (src/tensor/random.ts draws the same).

namespace gatelm {
namespace ISA_NAMESPACE {

// 2 · VEC blocks of four numbers, as the two vectors of each word.
constexpr int kBlocks = 2 * VEC;
typedef uint64_t vl __attribute__((vector_size(4 * VEC)));

// Low and high halves of constant · each of VEC numbers.
static inline void multiply_wide(vu x, uint32_t constant, vu* low, vu* high) {
  const vl wide = (vl)x;
  const vl even = (wide & 0xffffffffu) * (uint64_t)constant, odd = (wide >> 32) * (uint64_t)constant;
  *low = (vu)((even & 0xffffffffu) | (odd << 32));
  *high = (vu)((even >> 32) | (odd & ~(uint64_t)0xffffffffu));
}

// Philox4x32-10 (Salmon et al. 2011): key (seed, stream), counter (block, 0, low, high). out[word][block].
static inline void philox(uint32_t first_block, const uint32_t key[4], uint32_t out[4][kBlocks]) {
  vu a[2], b[2], c[2], d[2];
  for (int half = 0; half < 2; half++) {
    for (int lane = 0; lane < VEC; lane++) a[half][lane] = first_block + half * VEC + lane;
    b[half] = vu{};
    c[half] = vu{} + key[2];
    d[half] = vu{} + key[3];
  }
  uint32_t key_a = key[0], key_b = key[1];
  for (int round = 0; round < 10; round++) {
    for (int half = 0; half < 2; half++) {
      vu low_a, high_a, low_c, high_c;
      multiply_wide(a[half], 0xd2511f53u, &low_a, &high_a);
      multiply_wide(c[half], 0xcd9e8d57u, &low_c, &high_c);
      a[half] = high_c ^ b[half] ^ key_a;
      b[half] = low_c;
      c[half] = high_a ^ d[half] ^ key_b;
      d[half] = low_a;
    }
    key_a += 0x9e3779b9u;
    key_b += 0xbb67ae85u;
  }
  for (int half = 0; half < 2; half++) {
    memcpy(&out[0][half * VEC], &a[half], sizeof(vu));
    memcpy(&out[1][half * VEC], &b[half], sizeof(vu));
    memcpy(&out[2][half * VEC], &c[half], sizeof(vu));
    memcpy(&out[3][half * VEC], &d[half], sizeof(vu));
  }
}

static void dropout(long offset, long count, const float* x, float* y, const uint32_t key[4], uint32_t threshold,
                    float kept, long period) {
  uint32_t words[4][kBlocks], bits[4 * kBlocks];
  for (long i = 0; i < count;) {
    const long element = (offset + i) % period;
    const long lane = element % 4;
    philox(static_cast<uint32_t>(element / 4), key, words);
    for (int j = 0; j < kBlocks; j++) {
      for (int word = 0; word < 4; word++) bits[4 * j + word] = words[word][j];
    }
    long run = 4 * kBlocks - lane;
    if (run > count - i) run = count - i;
    if (run > period - element) run = period - element;
    for (long j = 0; j < run; j++) y[i + j] = bits[lane + j] >= threshold ? x[i + j] * kept : 0.0f;
    i += run;
  }
}

}  // namespace ISA_NAMESPACE
}  // namespace gatelm
