// The inner loops, once for each instruction set. isa_*.cc compile the same source (isa.inl) for different targets;
// isa() gives the table for this processor.
//
// Only plain data crosses this header: what it includes is compiled for the target of the file that includes it.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace gatelm {

// A matrix as it lies in memory: element (row, column) is data[row · row_stride + column · column_stride].
struct MatrixView {
  const float* data;
  long row_stride;
  long column_stride;
};

// The panels that products are made of. A is cut into panels of `mr` rows, laid out [k][mr]; B into panels of `nr`
// columns, laid out [k][nr]. In bfloat16 two neighbouring k stand together: [k / 2][mr or nr][2]. Missing rows,
// columns and the odd k are zeros.
struct Isa {
  int max_mr;
  int nr;
  bool has_bf16;

  // Packs rows [row, row + mr) and columns k [k, k + depth) of a view of A; rows from `rows` on are zeros.
  void (*pack_a)(const MatrixView& a, long row, long rows, int mr, long k, long depth, float* out);
  // Packs columns [column, column + nr) and rows [k, k + depth) of a view of B; columns from `columns` on are zeros.
  void (*pack_b)(const MatrixView& b, long column, long columns, long k, long depth, float* out);
  void (*pack_a_bf16)(const MatrixView& a, long row, long rows, int mr, long k, long depth, uint16_t* out);
  void (*pack_b_bf16)(const MatrixView& b, long column, long columns, long k, long depth, uint16_t* out);

  // c[0 … rows)[0 … columns) (row stride ldc) = or += the product of an A panel and a B panel of this depth.
  void (*tile)(int mr, long depth, const float* a, const float* b, float* c, long ldc, int rows, int columns,
               bool accumulate);
  // The same with bfloat16 panels; `pairs` is half the depth, rounded up.
  void (*tile_bf16)(int mr, long pairs, const uint16_t* a, const uint16_t* b, float* c, long ldc, int rows,
                    int columns, bool accumulate);

  // One row of LSTM gates: z holds f, g, i, o before their nonlinearities (each at a stride of `gate_stride`), and
  // their values afterwards. cell' = f·cell + g·i; hidden = o·tanh(cell').
  void (*gates_forward)(long count, float* z, long gate_stride, const float* cell, float* next_cell, float* hidden);
  // One row backward. d_cell: in the gradient of the cell after the step, out that of the cell before it.
  void (*gates_backward)(long count, const float* gates, long gate_stride, const float* cell,
                         const float* previous_cell, const float* d_hidden, float* d_cell, float* d_z);

  // Softmax of one row of logits. Gives max and Σ exp(x − max); with `probabilities`, the row becomes exp(x − max).
  void (*exp_row)(long count, float* row, bool keep, float* max, double* sum);
  void (*scale_row)(long count, float* row, float factor);

  // y[i] = x[i] · mask[(offset + i) % period]; the mask is 0 where the random number is below the threshold.
  void (*dropout)(long offset, long count, const float* x, float* y, const uint32_t key[4], uint32_t threshold,
                  float kept, long period);
  double (*sum_squares)(long count, const float* x);
  void (*add)(long count, const float* x, float* y);
  void (*sgd)(long count, float* value, const float* gradient, float* average, float learning_rate,
              float gradient_scale, float weight_decay, float average_coefficient);
  void (*adam)(long count, float* value, float* m, float* v, const float* gradient, const struct AdamScalars& s);
};

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

const Isa& isa();

}  // namespace gatelm
