#include "gemm.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <algorithm>

namespace gatelm {
namespace {

// Depth of a block. Tiles are written back once a block, so few blocks are better; a panel of B of this depth and the
// block of A stay in the second-level cache together.
constexpr long kBlockDepth = 704;
constexpr long kBlockBytes = 320 * 1024;

// Buffers of at least two huge pages ask for them: a tile touches a page a row otherwise.
constexpr size_t kHuge = 4 << 20;

struct Buffer {
  char* data = nullptr;
  size_t size = 0;
  ~Buffer() { free(data); }
};

Buffer* buffers_of_team() {
  if (team_size() == 1) {
    thread_local Buffer own[Workspace::kSlots];
    return own;
  }
  static Buffer* const shared = new Buffer[Workspace::kSlots];
  return shared;
}

}  // namespace

char* Workspace::bytes(Slot slot, size_t count) {
  Buffer& buffer = buffers_of_team()[slot];
  if (buffer.size < count) {
    free(buffer.data);
    buffer.size = (count + 4095) / 4096 * 4096;
    void* data = nullptr;
    if (posix_memalign(&data, buffer.size >= kHuge ? 2 << 20 : 4096, buffer.size) != 0) abort();
#if defined(MADV_HUGEPAGE)
    if (buffer.size >= kHuge) madvise(data, buffer.size, MADV_HUGEPAGE);
#endif
    buffer.data = static_cast<char*>(data);
  }
  return buffer.data;
}

Gemm::Gemm(bool bf16) : products_(bf16 && isa().bfloat16.max_mr > 0 ? isa().bfloat16 : isa().float32), nr_(isa().nr) {}

int Gemm::panel_rows(long rows, int multiple) const {
  const long most = products_.max_mr / multiple * multiple;
  const long panels = std::max(1L, (rows + most - 1) / most);
  const long even = (rows + panels - 1) / panels;
  return static_cast<int>((std::max(even, 1L) + multiple - 1) / multiple * multiple);
}

Panels Gemm::a_panels(const void* data, long rows, int mr, long depth) const {
  const long grain = products_.k_grain, padded = (depth + grain - 1) / grain * grain;
  return {static_cast<const char*>(data), mr, (rows + mr - 1) / mr, padded * products_.k_bytes * mr};
}

Panels Gemm::b_panels(const void* data, long columns, long depth) const {
  return a_panels(data, columns, nr_, depth);
}

void Gemm::pack_a(const Panels& panels, long panel, const MatrixView& a, long rows, long depth) const {
  pack_a_slice(panels, panel, a, rows, 0, depth);
}

void Gemm::pack_b(const Panels& panels, long panel, const MatrixView& b, long columns, long depth) const {
  pack_b_slice(panels, panel, b, columns, 0, depth);
}

void Gemm::pack_a_slice(const Panels& panels, long panel, const MatrixView& a, long rows, long k, long depth) const {
  products_.pack_a(a, panel * panels.width, rows, panels.width, 0, depth, at(panels, panel, k));
}

void Gemm::pack_b_slice(const Panels& panels, long panel, const MatrixView& b, long columns, long k,
                        long depth) const {
  products_.pack_b(b, panel * panels.width, columns, 0, depth, at(panels, panel, k));
}

void Gemm::clear(const Panels& panels, long panel, long line, long k) const {
  const long together = products_.k_grain, bytes = products_.k_bytes;  // k that stand side by side
  memset(at(panels, panel, k / together * together) + (line * together + k % together) * bytes, 0, bytes);
}

void Gemm::multiply(const Panels& a, Range ps, const Panels& b, Range qs, long rows, long columns, long depth,
                    float* c, long ldc, bool accumulate, const float* bias) const {
  const long blocks = (depth + kBlockDepth - 1) / kBlockDepth;
  const long block_depth = ((depth + blocks - 1) / blocks + 31) / 32 * 32;  // a multiple of every k_grain
  const long a_bytes = block_depth * a.width * products_.k_bytes, b_bytes = block_depth * b.width * products_.k_bytes;
  const auto a_at = [&](long p, long k) { return a.data + p * a.bytes + k * a.width * products_.k_bytes; };
  const auto b_at = [&](long q, long k) { return b.data + q * b.bytes + k * b.width * products_.k_bytes; };
  const auto tile = [&](long p, long q, long k, const char* next) {
    const long row = p * a.width, column = q * b.width;
    products_.tile({a.width, std::min(block_depth, depth - k), a_at(p, k), b_at(q, k), c + row * ldc + column, ldc,
                    static_cast<int>(std::min<long>(a.width, rows - row)),
                    static_cast<int>(std::min<long>(b.width, columns - column)), accumulate || k > 0,
                    bias ? bias + column : nullptr, next});
  };
  // Lines that come nearer while a tile is made, and tiles that bring a panel of B.
  const long lines = block_depth * products_.k_bytes / 4 * 64, tiles = std::max(1L, b_bytes / lines);

  if (products_.begin) products_.begin(a.width);
  const bool b_stays_near = (qs.end - qs.begin) * b_bytes <= kBlockBytes / 2;
  const long a_block = b_stays_near ? 1 : std::max(1L, kBlockBytes / a_bytes);
  for (long k = 0; k < depth; k += block_depth) {
    const long next_k = std::min(k + block_depth, depth);
    for (long begin = ps.begin; begin < ps.end; begin += a_block) {
      const long end = std::min(begin + a_block, ps.end);
      for (long q = qs.begin; q < qs.end; q++) {
        for (long p = begin; p < end; p++) {
          const char* next_a = p + a_block < ps.end ? a_at(p + a_block, k) : a_at(ps.begin + p - begin, next_k);
          const char* next = b_stays_near    ? next_a + std::min((q - qs.begin) * lines, a_bytes)
                             : q + 1 < qs.end ? b_at(q + 1, k) + (p - begin) % tiles * lines
                                              : next_a;
          tile(p, q, k, next);
        }
      }
    }
  }
  if (products_.end) products_.end();
}

void Gemm::for_each_tile(const Panels& a, Range ps, const Panels& b, Range qs, long columns, long depth,
                         const Finish& finish) const {
  constexpr long kMostElements = 32 * 64;  // of a tile
  alignas(64) float tile[kMostElements];
  const long a_block = std::max(1L, kBlockBytes / a.bytes);
  if (products_.begin) products_.begin(a.width);
  for (long begin = ps.begin; begin < ps.end; begin += a_block) {
    const long end = std::min(begin + a_block, ps.end);
    for (long q = qs.begin; q < qs.end; q++) {
      for (long p = begin; p < end; p++) {
        const long here = std::min<long>(b.width, columns - q * b.width);
        const char* next = b.data + std::min(q + 1, qs.end - 1) * b.bytes + (p - begin) * b.bytes / (end - begin);
        products_.tile({a.width, depth, a.data + p * a.bytes, b.data + q * b.bytes, tile, b.width, a.width,
                        static_cast<int>(here), false, nullptr, next});
        finish(p, q, tile);
      }
    }
  }
  if (products_.end) products_.end();
}

void Gemm::for_each_last_tile(const Panels& a, Range ps, const Panels& b, long q, long columns, long depth,
                              const FinishView& finish) const {
  const int here = static_cast<int>(columns - q * b.width);
  if (!products_.narrow || here > kNarrowColumns) {
    return for_each_tile(a, ps, b, {q, q + 1}, columns, depth,
                         [&](long p, long, const float* tile) { finish(p, row_major(tile, b.width)); });
  }
  alignas(64) float c[kNarrowPanels * kNarrowColumns * kNarrowLine];
  for (long begin = ps.begin; begin < ps.end; begin += kNarrowPanels) {
    const long count = std::min<long>(kNarrowPanels, ps.end - begin);
    products_.narrow({a.width, count, a.bytes, depth, at(a, begin, 0), at(b, q, 0), here, c});
    for (long i = 0; i < count; i++) finish(begin + i, transposed(c + i * here * kNarrowLine, kNarrowLine));
  }
}

long packed_b_bytes(const Gemm& gemm, long columns, long depth) {
  return gemm.bytes(gemm.b_panels(nullptr, columns, depth));
}

void pack_all_b(const Gemm& gemm, const MatrixView& b, long columns, long depth, void* out, const Member& member) {
  const Panels panels = gemm.b_panels(out, columns, depth);
  const Range mine = share(panels.count, member);
  for (long q = mine.begin; q < mine.end; q++) gemm.pack_b(panels, q, b, columns, depth);
}

void multiply(const Gemm& gemm, const Product& product, const Member& member) {
  const long rows = product.rows, columns = product.columns, depth = product.depth;
  const void* packed_b = product.packed_b;
  const int mr = gemm.panel_rows(rows);
  const auto a_room = [&] {
    return Workspace::bytes(Workspace::kPackedA, gemm.bytes(gemm.a_panels(nullptr, rows, mr, depth)));
  };
  const auto b_room = [&] {
    return packed_b ? nullptr : Workspace::bytes(Workspace::kPackedB, packed_b_bytes(gemm, columns, depth));
  };
  if (member.index == 0) {
    a_room();
    b_room();
  }
  member.barrier.wait();
  char* b_data = b_room();
  const Panels a = gemm.a_panels(a_room(), rows, mr, depth);
  const Panels b = gemm.b_panels(packed_b ? packed_b : b_data, columns, depth);
  const Range a_share = share(a.count, member), b_share = share(b.count, member);
  for (long p = a_share.begin; p < a_share.end; p++) gemm.pack_a(a, p, product.a, rows, depth);
  if (!packed_b) pack_all_b(gemm, product.b, columns, depth, b_data, member);
  member.barrier.wait();
  const bool by_rows = rows >= columns;
  gemm.multiply(a, by_rows ? a_share : Range{0, a.count}, b, by_rows ? Range{0, b.count} : b_share, rows, columns,
                depth, product.c, product.ldc, product.accumulate, product.bias);
  member.barrier.wait();
}

}  // namespace gatelm
