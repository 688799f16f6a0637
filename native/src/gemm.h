// Products of large matrices, made by a whole team of threads.
#pragma once

#include <stddef.h>

#include "isa.h"
#include "thread_pool.h"

namespace gatelm {

// Memory that a kernel needs while it runs and that the next one uses again; aligned to cache lines. One kernel runs at
// a time, so one set of buffers is enough.
class Workspace {
 public:
  enum Slot { kPackedA, kPackedB, kPackedWeights, kStepA, kStepB, kLogits, kRows, kSlots };
  static float* floats(Slot slot, size_t count);
};

// A whole operand in panels, in float32 or in bfloat16.
struct Panels {
  const void* data;
  int width;        // rows or columns of a panel
  long count;       // panels
  long bytes;       // of a panel
  bool bf16;
};

// Rows of an A panel, so that `rows` are shared out evenly.
int panel_rows(long rows);

// Bytes of one panel of this width and depth.
long panel_bytes(int width, long depth, bool bf16);

// Packs one panel of A or B, over all of its depth.
void pack_a_panel(const MatrixView& a, long panel, long rows, int mr, long depth, bool bf16, void* out);
void pack_b_panel(const MatrixView& b, long panel, long columns, long depth, bool bf16, void* out);

// c[rows][columns] = a · b, or += with `accumulate`. Called by every thread of a team with the same arguments; ends
// with all of them at a barrier.
struct Product {
  long rows;
  long columns;
  long depth;
  MatrixView a;  // [rows, depth]
  MatrixView b;  // [depth, columns]; not read where `packed_b` is given
  float* c;
  long ldc;
  bool accumulate;
  const void* packed_b = nullptr;  // what pack_b_panel made of all panels, one after another
};
void multiply(const Product& product, bool bf16, int index, int size, Barrier& barrier);

// Packs all panels of a B [depth, columns] one after another; the calling thread takes its share of them.
void pack_b_all(const MatrixView& b, long columns, long depth, bool bf16, void* out, int index, int size);
// Bytes that pack_b_all writes.
long packed_b_bytes(long columns, long depth, bool bf16);

// The part of a product that is one block of panels: used where the operands are packed already.
void multiply_panels(const Panels& a, Range a_panels, const Panels& b, Range b_panels, long rows, long columns,
                     long depth, float* c, long ldc, bool accumulate);

inline MatrixView row_major(const float* data, long width) { return {data, width, 1}; }
inline MatrixView transposed(const float* data, long width) { return {data, 1, width}; }

}  // namespace gatelm
