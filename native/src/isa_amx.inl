// Products in AMX's tiles. A panel of B is laid out as for vdpbf16ps, [k / 2][32][2]; a panel of A is [k / 32][mr][32].

#if defined(GATELM_EMULATE_AMX)
#include "amx_emulation.h"  // native/test: the logic can be tested where there is no AMX
#endif

namespace gatelm {
namespace ISA_NAMESPACE {

constexpr int kRows = 16;   // of a tile
constexpr int kMaxRows = 2 * kRows;
constexpr int kDepth = 32;  // k of a tile
constexpr int kLine = 64;   // bytes of a tile's row

static void pack_a_tiles(const MatrixView& a, long row, long rows, int mr, long k, long depth, void* out) {
  const long here = rows - row < mr ? rows - row : mr;
  const float* from = a.data + row * a.row_stride + k * a.column_stride;
  for (long d = 0; d < depth; d += kDepth) {
    float* block = static_cast<float*>(out) + d / kDepth * mr * kRows;
    const long left = depth - d;
    for (long w = 0; w < mr; w += kRows) {
      const long lines = here - w, count = mr - w < kRows ? mr - w : kRows;
      vf pairs[VEC];  // [line][pair]
      if (a.column_stride == 1) {
        for (long r = 0; r < VEC; r++) {
          pairs[r] = r < lines ? BFloat16::along(from + (w + r) * a.row_stride + d, left < kDepth ? left : kDepth) : vf{};
        }
      } else {
        for (long p = 0; p < VEC; p++) {
          const float* even = from + w * a.row_stride + (d + 2 * p) * a.column_stride;
          const float* odd = 2 * p + 1 < left ? even + a.column_stride : nullptr;
          const long there = lines < 0 ? 0 : lines;
          pairs[p] = 2 * p < left ? BFloat16::across(even, odd, there) : vf{};
        }
        transpose(pairs);
      }
      for (long r = 0; r < count; r++) store(block + (w + r) * kRows, pairs[r]);
    }
  }
}

static void pack_b_tiles(const MatrixView& b, long column, long columns, long k, long depth, void* out) {
  pack_b_of<BFloat16>(b, column, columns, k, depth, out);
  const long pairs = (depth + 1) / 2, padded = (depth + kDepth - 1) / kDepth * kRows;
  memset(static_cast<float*>(out) + pairs * kNr, 0, sizeof(float) * kNr * (padded - pairs));
}

// What was written stands in memory before a tile instruction reads it: g++'s intrinsics do not say that they read memory,
// and g++ 12 leaves out stores that nothing else reads.
static inline void escape(const void* memory) { __asm__ volatile("" : : "r"(memory) : "memory"); }

// The shapes of tiles 0 to 3 (c), 4 and 5 (a), 6 and 7 (b), as LDTILECFG reads them.
static void begin_tiles(int mr) {
  struct alignas(64) {
    uint8_t palette = 1, start_row = 0, reserved[14] = {};
    uint16_t line_bytes[16] = {};
    uint8_t rows[16] = {};
  } shapes;
  const uint8_t top = mr < kRows ? mr : kRows, bottom = mr > kRows ? mr - kRows : 1;
  const uint8_t rows[8] = {top, top, bottom, bottom, top, bottom, kRows, kRows};
  for (int i = 0; i < 8; i++) {
    shapes.rows[i] = rows[i];
    shapes.line_bytes[i] = kLine;
  }
  escape(&shapes);
  _tile_loadconfig(&shapes);
}

// Others in this thread shape the tiles their own way.
static void end_tiles() { _tile_release(); }

template <bool BOTTOM, bool RIGHT>
static inline void sum_tiles(const Tile& tile) {
  const char *a = static_cast<const char*>(tile.a), *b = static_cast<const char*>(tile.b);
  const long steps = (tile.depth + kDepth - 1) / kDepth;
  for (long s = 0; s < steps; s++, a += tile.mr * kLine, b += kRows * kNr * 4) {
    for (int line = 0; line < kRows; line++) __builtin_prefetch(tile.next + (s * kRows + line) * 64, 0, 2);
    _tile_loadd(4, a, kLine);
    _tile_loadd(6, b, kNr * 4);
    _tile_dpbf16ps(0, 4, 6);
    if (RIGHT) {
      _tile_loadd(7, b + kLine, kNr * 4);
      _tile_dpbf16ps(1, 4, 7);
    }
    if (BOTTOM) {
      _tile_loadd(5, a + kRows * kLine, kLine);
      _tile_dpbf16ps(2, 5, 6);
      if (RIGHT) _tile_dpbf16ps(3, 5, 7);
    }
  }
}

static inline void zero_tiles() {
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
}

// Whole tiles are summed on top of c itself.
template <bool BOTTOM>
static inline void multiply_in_place(const Tile& tile) {
  const long stride = tile.ldc * 4;
  if (tile.accumulate) {
    _tile_loadd(0, tile.c, stride);
    _tile_loadd(1, tile.c + kRows, stride);
    if (BOTTOM) {
      _tile_loadd(2, tile.c + kRows * tile.ldc, stride);
      _tile_loadd(3, tile.c + kRows * tile.ldc + kRows, stride);
    }
  } else {
    zero_tiles();
  }
  sum_tiles<BOTTOM, true>(tile);
  _tile_stored(0, tile.c, stride);
  _tile_stored(1, tile.c + kRows, stride);
  if (BOTTOM) {
    _tile_stored(2, tile.c + kRows * tile.ldc, stride);
    _tile_stored(3, tile.c + kRows * tile.ldc + kRows, stride);
  }
}

// Tiles at the edges are summed in a buffer, in the same order as whole ones: on top of c, so that a row has the same bits
// whatever the rows beside it.
static void multiply_tiles(const Tile& tile) {
  const bool bottom = tile.mr > kRows, right = tile.columns > kRows;
  if (tile.rows == tile.mr && tile.columns == kNr && (tile.accumulate || !tile.bias)) {
    return bottom ? multiply_in_place<true>(tile) : multiply_in_place<false>(tile);
  }
  alignas(64) vf sum[kMaxRows][2];
  if (tile.accumulate) {
    for (int r = 0; r < tile.mr; r++) {
      const float* c = tile.c + r * tile.ldc;
      sum[r][0] = r < tile.rows ? load_n(c, tile.columns) : vf{};
      sum[r][1] = r < tile.rows && right ? load_n(c + VEC, tile.columns - VEC) : vf{};
    }
    escape(sum);
    _tile_loadd(0, &sum[0][0], sizeof sum[0]);
    _tile_loadd(1, &sum[0][1], sizeof sum[0]);
    if (bottom) {
      _tile_loadd(2, &sum[kRows][0], sizeof sum[0]);
      _tile_loadd(3, &sum[kRows][1], sizeof sum[0]);
    }
  } else {
    zero_tiles();
  }
  if (right) {
    bottom ? sum_tiles<true, true>(tile) : sum_tiles<false, true>(tile);
  } else {
    bottom ? sum_tiles<true, false>(tile) : sum_tiles<false, false>(tile);
  }
  _tile_stored(0, &sum[0][0], sizeof sum[0]);
  _tile_stored(1, &sum[0][1], sizeof sum[0]);
  if (bottom) {
    _tile_stored(2, &sum[kRows][0], sizeof sum[0]);
    _tile_stored(3, &sum[kRows][1], sizeof sum[0]);
  }
  Tile finished = tile;
  finished.accumulate = false;
  if (tile.accumulate) finished.bias = nullptr;  // c is in the sums
  put_tile<kMaxRows, 2>(sum, finished);
}

}  // namespace ISA_NAMESPACE
}  // namespace gatelm
