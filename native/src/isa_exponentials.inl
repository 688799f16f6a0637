// The exponentials of a tile of logits, packed while they are in registers.

namespace gatelm {
namespace ISA_NAMESPACE {

#if MAX_MR <= VEC

// How the elements of a few lines of a tile (kDepth of them, two vectors each) stand in the panels of a product. `lines`:
// what is still to be turned round, a vector for each line; `column`: the panel that has the lines as its depth.
template <typename E>
struct ExponentialPanels;

template <>
struct ExponentialPanels<Float32> {
  static constexpr int kVectors = 2;  // of a line
  static void take(const vf (&e)[1][2], long line, vf (&lines)[2][VEC], float* column) {
    for (int v = 0; v < 2; v++) {
      lines[v][line] = e[0][v];
      store(column + v * VEC, e[0][v]);
    }
  }
};

#if defined(PACKS_PAIRS)
template <>
struct ExponentialPanels<BFloat16> {
  static constexpr int kVectors = 1;
  static void take(const vf (&e)[2][2], long line, vf (&lines)[1][VEC], float* column) {
    for (int d = 0; d < 2; d++) lines[0][line + d] = BFloat16::pairs(e[d][0], e[d][1]);
    BFloat16::interleave(lines[0][line], lines[0][line + 1], column);
  }
};
#endif

// See Products::exp_and_pack.
template <typename E>
static void exp_and_pack(long rows, float* tile, const float* bias, const float* shift, double* sum, float* max,
                         void* by_row, void* by_column) {
  constexpr int kVectors = ExponentialPanels<E>::kVectors;
  const vf c[2] = {load(shift), load(shift + VEC)};
  vf most[2] = {load(max), load(max + VEC)}, total[2] = {};
  vf lines[kVectors][VEC];
  for (int v = 0; v < kVectors; v++) {
    for (long r = rows; r < VEC; r++) lines[v][r] = vf{};
  }
  for (long r = 0; r < rows; r += E::kDepth) {
    vf e[E::kDepth][2];
#pragma GCC unroll 2
    for (int d = 0; d < E::kDepth; d++) {
      float* at = tile + (r + d) * kNr;
#pragma GCC unroll 2
      for (int v = 0; v < 2; v++) {
        e[d][v] = exp_logits(at + v * VEC, bias[r + d], c[v], &most[v], &total[v]);
      }
    }
    ExponentialPanels<E>::take(e, r, lines, static_cast<float*>(by_column) + r / E::kDepth * kNr);
  }
  float* to = static_cast<float*>(by_row);
#pragma GCC unroll 2
  for (int v = 0; v < kVectors; v++) {
    transpose(lines[v]);
#pragma GCC unroll 16
    for (int k = 0; k < VEC; k++) {
      // All but the last may write beyond their rows: the next one comes there.
      store_n(to + (v * VEC + k) * rows, lines[v][k], v + 1 < kVectors || k + 1 < VEC ? VEC : rows);
    }
  }
  for (int v = 0; v < 2; v++) {
    store(max + v * VEC, most[v]);
    for (int lane = 0; lane < VEC; lane++) sum[v * VEC + lane] += total[v][lane];
  }
}

#define EXP_AND_PACK(Element) exp_and_pack<Element>
#else
#define EXP_AND_PACK(Element) nullptr
#endif

}  // namespace ISA_NAMESPACE
}  // namespace gatelm
