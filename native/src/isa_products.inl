// Packing and products, written once for both kinds of elements: floats, and pairs of bfloat16 (isa_avx512_bf16.cc).
// An Element is what one lane of a panel holds: kDepth steps of k.

namespace gatelm {
namespace ISA_NAMESPACE {

constexpr int kNr = 2 * VEC;

struct Float32 {
  static constexpr int kDepth = 1;
  // The elements of VEC neighbouring lines at one k; `odd` is the line pointer one k further (not read here).
  static vf across(const float* even, const float*, long n) { return load_n(even, n); }
  // VEC elements of one line along k, of which n floats are there.
  static vf along(const float* line, long n) { return n >= VEC ? load(line) : load_n(line, n < 0 ? 0 : n); }
  static vf broadcast(const float* element) { return splat(*element); }
  static vf multiply_add(vf sum, vf a, vf b) { return gatelm::ISA_NAMESPACE::multiply_add(a, b, sum); }
};

// ---- packing ------------------------------------------------------------------------------------------------------

// Packs `width` lines (rows of A or columns of B), of which `here` exist: out[element][line].
template <typename E>
static void pack_lines(const float* from, long line_stride, long k_stride, long here, long width, long depth,
                       float* out) {
  const long elements = (depth + E::kDepth - 1) / E::kDepth;
  if (line_stride == 1) {
    for (long w = 0; w < width; w += VEC) {
      const long there = here > w ? here - w : 0, left = width - w;
      const float* even = from + w;
      float* to = out + w;
      for (long e = 0; e < depth / E::kDepth; e++, even += E::kDepth * k_stride, to += width) {
        store_n(to, E::across(even, even + (E::kDepth - 1) * k_stride, there), left);
      }
      if (depth % E::kDepth > 0) store_n(to, E::across(even, nullptr, there), left);
    }
    return;
  }
  for (long w = 0; w < width; w += VEC) {
    const long lines = here - w < VEC ? here - w : VEC;
    for (long e = 0; e < elements; e += VEC) {
      vf block[VEC];
      const float* corner = from + w * line_stride + e * E::kDepth;
      const long left = depth - e * E::kDepth, end = elements - e;
      if (left >= VEC * E::kDepth) {
#pragma GCC unroll 16
        for (int r = 0; r < VEC; r++) {
          block[r] = r < lines ? E::along(corner + r * line_stride, VEC * E::kDepth) : vf{};
        }
      } else {
        for (int r = 0; r < VEC; r++) block[r] = r < lines ? E::along(corner + r * line_stride, left) : vf{};
      }
      transpose(block);
      const long there = width - w;
      if (end >= VEC) {
#pragma GCC unroll 16
        for (int j = 0; j < VEC; j++) store_n(out + (e + j) * width + w, block[j], there);
      } else {
        for (int j = 0; j < VEC && j < end; j++) store_n(out + (e + j) * width + w, block[j], there);
      }
    }
  }
}

template <typename E>
static void pack_a_of(const MatrixView& a, long row, long rows, int mr, long k, long depth, void* out) {
  const long here = rows - row < mr ? rows - row : mr;
  pack_lines<E>(a.data + row * a.row_stride + k * a.column_stride, a.row_stride, a.column_stride, here, mr, depth,
                static_cast<float*>(out));
}

template <typename E>
static void pack_b_of(const MatrixView& b, long column, long columns, long k, long depth, void* out) {
  const long here = columns - column < kNr ? columns - column : kNr;
  pack_lines<E>(b.data + k * b.row_stride + column * b.column_stride, b.column_stride, b.row_stride, here, kNr, depth,
                static_cast<float*>(out));
}

// ---- products -----------------------------------------------------------------------------------------------------

// Writes a finished tile to c, on top of what is there or of the bias; at the edges only what belongs to c.
template <int MR, int NV>
__attribute__((always_inline)) static inline void put_tile(const vf (&sum)[MR][NV], const Tile& tile) {
  if (tile.rows == MR && tile.columns == NV * VEC) {
#pragma GCC unroll 16
    for (int r = 0; r < MR; r++) {
#pragma GCC unroll 2
      for (int v = 0; v < NV; v++) {
        float* to = tile.c + r * tile.ldc + v * VEC;
        const float* start = tile.accumulate ? to : tile.bias + v * VEC;
        store(to, tile.accumulate || tile.bias ? load(start) + sum[r][v] : sum[r][v]);
      }
    }
    return;
  }
  for (int r = 0; r < tile.rows; r++) {
    for (int v = 0; v < NV; v++) {
      const long n = tile.columns - v * VEC;
      if (n <= 0) break;
      float* to = tile.c + r * tile.ldc + v * VEC;
      const float* start = tile.accumulate ? to : tile.bias + v * VEC;
      store_n(to, tile.accumulate || tile.bias ? load_n(start, n) + sum[r][v] : sum[r][v], n);
    }
  }
}

// Each element of c is summed up over k in order, whatever the rows beside it: a row alone gives the same bits.
template <typename E, int MR, int NV>
static void tile_of(const Tile& tile) {
  const float *a = static_cast<const float*>(tile.a), *b = static_cast<const float*>(tile.b);
  for (int r = 0; r < tile.rows; r++) {  // what the end of this function needs is on its way meanwhile
    for (int v = 0; v < NV; v++) __builtin_prefetch(tile.c + r * tile.ldc + v * 16, 1);
  }
  vf sum[MR][NV];
#pragma GCC unroll 64
  for (int i = 0; i < MR * NV; i++) sum[i / NV][i % NV] = vf{};
  const long elements = (tile.depth + E::kDepth - 1) / E::kDepth;
  for (long e = 0; e < elements; e++, a += MR, b += kNr) {
    __builtin_prefetch(tile.next + e * 64, 0, 2);
    vf bv[NV];
#pragma GCC unroll 2
    for (int v = 0; v < NV; v++) bv[v] = load(b + v * VEC);
#pragma GCC unroll 16
    for (int r = 0; r < MR; r++) {
      const vf ar = E::broadcast(a + r);
#pragma GCC unroll 2
      for (int v = 0; v < NV; v++) sum[r][v] = E::multiply_add(sum[r][v], ar, bv[v]);
    }
  }
  put_tile<MR, NV>(sum, tile);
}

template <typename E, int NV, int... MR>
static void run_tile(const Tile& tile, Indices<MR...>) {
  typedef void (*Function)(const Tile&);
  static constexpr Function functions[] = {tile_of<E, MR, NV>...};
  functions[tile.mr - 1](tile);
}

template <typename E>
static void multiply_tile(const Tile& tile) {
  typedef typename MakeIndices<MAX_MR>::type AllRows;
  if (tile.columns > VEC) {
    run_tile<E, 2>(tile, AllRows());
  } else {
    run_tile<E, 1>(tile, AllRows());
  }
}

// ---- narrow products ----------------------------------------------------------------------------------------------

#if VEC == 16

// As tile_of, in the same order of k, with the rows of A as lanes.
template <typename E, int NC>
static void narrow_of(const Narrow& narrow) {
  const float* a[kNarrowPanels];
  for (int p = 0; p < kNarrowPanels; p++) {  // the last one again for those that are missing
    const long panel = p < narrow.panels ? p : narrow.panels - 1;
    a[p] = reinterpret_cast<const float*>(static_cast<const char*>(narrow.a) + panel * narrow.panel_bytes);
  }
  const float* b = static_cast<const float*>(narrow.b);
  vf sum[kNarrowPanels][NC];
#pragma GCC unroll 20
  for (int i = 0; i < kNarrowPanels * NC; i++) sum[i / NC][i % NC] = vf{};
  const __mmask16 rows = static_cast<__mmask16>((1u << narrow.mr) - 1);
  const long elements = (narrow.depth + E::kDepth - 1) / E::kDepth;
  for (long e = 0; e < elements; e++, b += kNr) {
#pragma GCC unroll 4
    for (int p = 0; p < kNarrowPanels; p++) {
      const vf av = (vf)_mm512_maskz_loadu_ps(rows, a[p] + e * narrow.mr);
#pragma GCC unroll 5
      for (int c = 0; c < NC; c++) sum[p][c] = E::multiply_add(sum[p][c], av, E::broadcast(b + c));
    }
  }
#pragma GCC unroll 20
  for (int i = 0; i < kNarrowPanels * NC; i++) store(narrow.c + i * kNarrowLine, sum[i / NC][i % NC]);
}

template <typename E, int... NC>
static void run_narrow(const Narrow& narrow, Indices<NC...>) {
  typedef void (*Function)(const Narrow&);
  static constexpr Function functions[] = {narrow_of<E, NC>...};
  functions[narrow.columns - 1](narrow);
}

template <typename E>
static void multiply_narrow(const Narrow& narrow) {
  static_assert(MAX_MR <= kNarrowLine, "a row of A in each lane");
  run_narrow<E>(narrow, MakeIndices<kNarrowColumns>::type());
}

#define MULTIPLY_NARROW(Element) multiply_narrow<Element>
#else
#define MULTIPLY_NARROW(Element) nullptr
#endif

}  // namespace ISA_NAMESPACE
}  // namespace gatelm
