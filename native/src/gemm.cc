#include "gemm.h"

#include <stdlib.h>

#include <algorithm>

namespace gatelm {
namespace {

// Depth of a block: a B panel of it stays in the first-level cache while the A panels pass by.
constexpr long kBlockDepth = 256;
// Bytes of the A panels of a block: they stay in the second-level cache while the B panels pass by.
constexpr long kBlockBytes = 384 * 1024;

const char* at(const Panels& panels, long panel, long k) {
  const long element = panels.bf16 ? 2 : 4;
  return static_cast<const char*>(panels.data) + panel * panels.bytes + k * panels.width * element;
}

}  // namespace

float* Workspace::floats(Slot slot, size_t count) {
  static float* buffers[kSlots] = {};
  static size_t sizes[kSlots] = {};
  if (sizes[slot] < count) {
    free(buffers[slot]);
    buffers[slot] = nullptr;
    const size_t bytes = (count * sizeof(float) + 4095) / 4096 * 4096;
    if (posix_memalign(reinterpret_cast<void**>(&buffers[slot]), 64, bytes) != 0) abort();
    sizes[slot] = bytes / sizeof(float);
  }
  return buffers[slot];
}

int panel_rows(long rows) {
  const long most = isa().max_mr;
  const long panels = (rows + most - 1) / most;
  return static_cast<int>((rows + panels - 1) / panels);
}

long panel_bytes(int width, long depth, bool bf16) { return bf16 ? (depth + 1) / 2 * 4 * width : depth * 4 * width; }

void pack_a_panel(const MatrixView& a, long panel, long rows, int mr, long depth, bool bf16, void* out) {
  if (bf16) {
    isa().pack_a_bf16(a, panel * mr, rows, mr, 0, depth, static_cast<uint16_t*>(out));
  } else {
    isa().pack_a(a, panel * mr, rows, mr, 0, depth, static_cast<float*>(out));
  }
}

void pack_b_panel(const MatrixView& b, long panel, long columns, long depth, bool bf16, void* out) {
  if (bf16) {
    isa().pack_b_bf16(b, panel * isa().nr, columns, 0, depth, static_cast<uint16_t*>(out));
  } else {
    isa().pack_b(b, panel * isa().nr, columns, 0, depth, static_cast<float*>(out));
  }
}

void multiply_panels(const Panels& a, Range a_panels, const Panels& b, Range b_panels, long rows, long columns,
                     long depth, float* c, long ldc, bool accumulate) {
  const Isa& table = isa();
  const long most = a.bf16 ? 2 * kBlockDepth : kBlockDepth;
  const long blocks = (depth + most - 1) / most;
  const long block_depth = ((depth + blocks - 1) / blocks + 1) / 2 * 2;
  const long a_bytes = panel_bytes(a.width, block_depth, a.bf16);
  const long a_block = std::max(1L, kBlockBytes / a_bytes);
  for (long k = 0; k < depth; k += block_depth) {
    const long here = std::min(block_depth, depth - k);
    const bool add = accumulate || k > 0;
    for (long a_begin = a_panels.begin; a_begin < a_panels.end; a_begin += a_block) {
      const long a_end = std::min(a_begin + a_block, a_panels.end);
      for (long q = b_panels.begin; q < b_panels.end; q++) {
        const int tile_columns = static_cast<int>(std::min<long>(b.width, columns - q * b.width));
        const char* b_panel = at(b, q, k);
        for (long p = a_begin; p < a_end; p++) {
          const int tile_rows = static_cast<int>(std::min<long>(a.width, rows - p * a.width));
          float* to = c + p * a.width * ldc + q * b.width;
          if (a.bf16) {
            table.tile_bf16(a.width, (here + 1) / 2, reinterpret_cast<const uint16_t*>(at(a, p, k)),
                            reinterpret_cast<const uint16_t*>(b_panel), to, ldc, tile_rows, tile_columns, add);
          } else {
            table.tile(a.width, here, reinterpret_cast<const float*>(at(a, p, k)),
                       reinterpret_cast<const float*>(b_panel), to, ldc, tile_rows, tile_columns, add);
          }
        }
      }
    }
  }
}

long packed_b_bytes(long columns, long depth, bool bf16) {
  const int nr = isa().nr;
  return (columns + nr - 1) / nr * panel_bytes(nr, depth, bf16);
}

void pack_b_all(const MatrixView& b, long columns, long depth, bool bf16, void* out, int index, int size) {
  const int nr = isa().nr;
  const long bytes = panel_bytes(nr, depth, bf16);
  const Range panels = share((columns + nr - 1) / nr, index, size);
  for (long q = panels.begin; q < panels.end; q++) {
    pack_b_panel(b, q, columns, depth, bf16, static_cast<char*>(out) + q * bytes);
  }
}

void multiply(const Product& product, bool bf16, int index, int size, Barrier& barrier) {
  const int mr = panel_rows(product.rows);
  const int nr = isa().nr;
  const long a_count = (product.rows + mr - 1) / mr, b_count = (product.columns + nr - 1) / nr;
  const long a_bytes = panel_bytes(mr, product.depth, bf16), b_bytes = panel_bytes(nr, product.depth, bf16);
  static float *packed_a, *packed_b;
  if (index == 0) {
    packed_a = Workspace::floats(Workspace::kPackedA, a_count * a_bytes / 4);
    if (!product.packed_b) packed_b = Workspace::floats(Workspace::kPackedB, b_count * b_bytes / 4);
  }
  barrier.wait();
  const Range a_share = share(a_count, index, size), b_share = share(b_count, index, size);
  for (long p = a_share.begin; p < a_share.end; p++) {
    pack_a_panel(product.a, p, product.rows, mr, product.depth, bf16, reinterpret_cast<char*>(packed_a) + p * a_bytes);
  }
  if (!product.packed_b) pack_b_all(product.b, product.columns, product.depth, bf16, packed_b, index, size);
  barrier.wait();
  const void* b_data = product.packed_b ? product.packed_b : packed_b;
  const Panels a{packed_a, mr, a_count, a_bytes, bf16}, b{b_data, nr, b_count, b_bytes, bf16};
  const bool by_rows = a_count * mr >= b_count * nr;
  multiply_panels(a, by_rows ? a_share : Range{0, a_count}, b, by_rows ? Range{0, b_count} : b_share, product.rows,
                  product.columns, product.depth, product.c, product.ldc, product.accumulate);
  barrier.wait();
}

}  // namespace gatelm
