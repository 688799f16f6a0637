// Random masks that are functions of a key (src/tensor/random.ts draws the same).

namespace gatelm {
namespace ISA_NAMESPACE {

constexpr int kBlocks = 16;

// 16 blocks of Philox4x32-10 (Salmon et al. 2011): key (seed, stream), counter (block, 0, low, high).
static inline void philox(uint32_t first_block, const uint32_t key[4], uint32_t out[4 * kBlocks]) {
  uint32_t a[kBlocks], b[kBlocks], c[kBlocks], d[kBlocks];
  for (int j = 0; j < kBlocks; j++) {
    a[j] = first_block + j;
    b[j] = 0;
    c[j] = key[2];
    d[j] = key[3];
  }
  uint32_t key_a = key[0], key_b = key[1];
  for (int round = 0; round < 10; round++) {
    for (int j = 0; j < kBlocks; j++) {
      const uint64_t product_a = static_cast<uint64_t>(0xd2511f53u) * a[j];
      const uint64_t product_c = static_cast<uint64_t>(0xcd9e8d57u) * c[j];
      a[j] = static_cast<uint32_t>(product_c >> 32) ^ b[j] ^ key_a;
      b[j] = static_cast<uint32_t>(product_c);
      c[j] = static_cast<uint32_t>(product_a >> 32) ^ d[j] ^ key_b;
      d[j] = static_cast<uint32_t>(product_a);
    }
    key_a += 0x9e3779b9u;
    key_b += 0xbb67ae85u;
  }
  for (int j = 0; j < kBlocks; j++) {
    out[4 * j] = a[j];
    out[4 * j + 1] = b[j];
    out[4 * j + 2] = c[j];
    out[4 * j + 3] = d[j];
  }
}

static void dropout(long offset, long count, const float* x, float* y, const uint32_t key[4], uint32_t threshold,
                    float kept, long period) {
  uint32_t bits[4 * kBlocks];
  for (long i = 0; i < count;) {
    const long element = (offset + i) % period;
    const long lane = element % 4;
    philox(static_cast<uint32_t>(element / 4), key, bits);
    long run = 4 * kBlocks - lane;
    if (run > count - i) run = count - i;
    if (run > period - element) run = period - element;
    for (long j = 0; j < run; j++) y[i + j] = bits[lane + j] >= threshold ? x[i + j] * kept : 0.0f;
    i += run;
  }
}

}  // namespace ISA_NAMESPACE
}  // namespace gatelm
