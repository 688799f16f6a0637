// The inner loops, once for each instruction set. isa_*.cc compile the same sources (isa_*.inl) for different targets;
// isa() gives the table for this processor.
//
// Only plain data crosses this header: what it includes is compiled for the target of the file that includes it.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace gatelm {

// A matrix as it lies in memory: element (row, column) is data[row · row_stride + column · column_stride]. One of the
// strides is 1.
struct MatrixView {
  const float* data;
  long row_stride;
  long column_stride;
};

// A part of c, made of one panel of A and one of B.
struct Tile {
  int mr;            // rows of the panel of A
  long depth;        // k
  const void* a;
  const void* b;
  float* c;
  long ldc;
  int rows;          // of c, at most mr
  int columns;       // of c, at most nr
  bool accumulate;   // c += a · b; otherwise c = a · b
  const float* bias;  // [columns] or null: added to each row, unless `accumulate`
  const char* next;  // is brought near while this tile is made: a cache line for each lane of depth
};

// A few columns of a product: those of a panel of B, with some panels of A.
constexpr int kNarrowColumns = 5, kNarrowPanels = 4, kNarrowLine = 16;
struct Narrow {
  int mr;
  long panels;       // at most kNarrowPanels
  long panel_bytes;  // from a panel of A to the next
  long depth;
  const void* a;
  const void* b;
  int columns;       // at most kNarrowColumns
  float* c;          // [kNarrowPanels][columns][kNarrowLine], a row of A in each lane; written as a whole
};

constexpr long kBlockColumns = 64;

struct AdamScalars {
  float learning_rate;
  float gradient_scale;
  float beta1;
  float beta2;
  float epsilon;
  float weight_decay;
  float decoupled;  // 1: AdamW
  float correction1;
  float correction2;
};

// What products are made of, for one kind of elements. A is cut into panels of `mr` rows, laid out [k][mr]; B into
// panels of `nr` columns, laid out [k][nr]. In bfloat16 two neighbouring k stand together: [k / 2][mr or nr][2]. Missing
// rows and columns are zeros, and so is what fills the depth up to a multiple of `k_grain`.
struct Products {
  int max_mr;
  int k_grain;
  int k_bytes;  // of one k of one row or column
  // Packs rows [row, row + mr) and columns k [k, k + depth) of a view of A; rows from `rows` on are zeros.
  void (*pack_a)(const MatrixView& a, long row, long rows, int mr, long k, long depth, void* out);
  // Packs columns [column, column + nr) and rows [k, k + depth) of a view of B; columns from `columns` on are zeros.
  void (*pack_b)(const MatrixView& b, long column, long columns, long k, long depth, void* out);
  void (*tile)(const Tile& tile);
  // Around the tiles of one panel width that a thread makes one after another; null where there is nothing to do.
  void (*begin)(int mr);
  void (*end)();
  // As Isa::exp_tile for a tile with all its columns, and packs the exponentials: as a part of a panel of A, the rows of the
  // tile as its rows, and as a part of a panel of B, the rows of the tile as k. `rows` is a multiple of k_grain, at most
  // max_mr. Null where it is done one after the other.
  void (*exp_and_pack)(long rows, float* tile, const float* bias, const float* shift, double* sum, float* max,
                       void* by_row, void* by_column);
  // Where a tile of a vector of columns would be mostly empty: the rows are the lanes. Null where that is not faster.
  void (*narrow)(const Narrow& narrow);
};

struct Isa {
  int nr;
  Products float32;
  Products bfloat16;  // max_mr is 0 where there are none

  // One row of LSTM gates: z holds f, g, i, o before their nonlinearities (each at a stride of `gate_stride`), and
  // their values afterwards. cell' = f·cell + g·i; hidden = o·tanh(cell').
  void (*gates_forward)(long count, float* z, long gate_stride, const float* cell, float* next_cell, float* hidden);
  // One row backward. d_cell: in the gradient of the cell after the step, out that of the cell before it.
  void (*gates_backward)(long count, const float* gates, long gate_stride, const float* cell,
                         const float* previous_cell, const float* d_hidden, float* d_cell, float* d_z);

  // One row of GRU gates, `gate_stride` apart. In: the sums of r and z, that of the candidate n with the input, and that with
  // the hidden state, on which r acts; out: r, z, n and the last one as it was. hidden' = (1 − z)·n + z·hidden.
  void (*gru_forward)(long count, float* gates, long gate_stride, const float* hidden, float* next_hidden);
  // One row backward. d_hidden: in the gradient of the hidden state after the step, out what of it flows past the gates to
  // that before it. d_sums: the gradients of the four that gru_forward takes. hidden: before the step.
  void (*gru_backward)(long count, const float* gates, long gate_stride, const float* hidden, float* d_hidden,
                       float* d_sums);

  // out = 2 · gate · value, the round of a Mogrifier.
  void (*modulate)(long count, const float* gate, const float* value, float* out);
  // The same where `gate` is in the sum before its sigmoid, and out the gate.
  void (*modulate_by_sum)(long count, float* gate, const float* value, float* out);
  // d_value: in the gradient of what modulate made, out that of the value. d_sum: that of the sum.
  void (*modulate_backward)(long count, const float* gate, const float* value, float* d_value, float* d_sum);

  // Max and Σ exp(x − max) of a row of logits.
  void (*exp_row)(long count, const float* row, float* max, double* sum);
  // A row of logits becomes exp(x − max). Gives its maximum and, as result, the sum.
  double (*exp_row_in_place)(long count, float* row, float* max);
  // A tile [rows][nr] of logits, a word a row and without their biases, becomes exp(x + bias − shift); each column has a
  // shift, and a sum and a maximum of x + bias that go on.
  void (*exp_tile)(long rows, long columns, float* tile, const float* bias, const float* shift, double* sum, float* max);

  // The largest number of each block of kBlockColumns; what is not a number is passed over.
  void (*largest_of_blocks)(long blocks, const float* row, float* largest);

  // y[i] = x[i] · mask[(offset + i) % period]; the mask is 0 where the random number is below the threshold.
  void (*dropout)(long offset, long count, const float* x, float* y, const uint32_t key[4], uint32_t threshold,
                  float kept, long period);
  double (*sum_squares)(long count, const float* x);
  void (*add)(long count, const float* x, float* y);
  void (*scale)(long count, float factor, float* y);
  void (*add_scaled)(long count, const float* x, float factor, float* y);
  void (*sgd)(long count, float* value, const float* gradient, float* average, float learning_rate,
              float gradient_scale, float weight_decay, float average_coefficient);
  // An update of dynamic evaluation, src/evaluation/dynamic-evaluation.ts. gradient null: zeros; roots null: plain SGD.
  void (*adapt)(long count, float* value, const float* trained, const float* gradient, const float* roots,
                float learning_rate, float decay, float epsilon);
  void (*adam)(long count, float* value, float* m, float* v, const float* gradient, const AdamScalars& s);
};

const Isa& isa();

// 1 … N as a pack of template arguments.
template <int... I>
struct Indices {};
template <int N, int... I>
struct MakeIndices : MakeIndices<N - 1, N, I...> {};
template <int... I>
struct MakeIndices<0, I...> {
  typedef Indices<I...> type;
};

}  // namespace gatelm
