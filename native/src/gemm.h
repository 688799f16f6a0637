// Products of large matrices, made by a whole team of threads.
#pragma once

#include <stddef.h>

#include <functional>

#include "isa.h"
#include "thread_pool.h"

namespace gatelm {

// Memory that a kernel needs while it runs and that the next one uses again; aligned to pages. A team runs one kernel at a time
// (TeamTurn), so it has one set of buffers, which ends with its thread where teams have one.
class Workspace {
 public:
  enum Slot {
    kPackedA, kPackedB, kPackedWeights, kStepA, kStepB, kLogits, kRows, kSums, kProjected, kInputs, kOutputs, kRounds, kSlots
  };
  // At least so many bytes. What is there is lost where it has to grow: while a team runs, only its first member may ask for more.
  static char* bytes(Slot slot, size_t count);
  static float* floats(Slot slot, size_t count) { return reinterpret_cast<float*>(bytes(slot, count * sizeof(float))); }
};

// An operand in panels, one after another, each over the whole depth.
struct Panels {
  const char* data;
  int width;   // rows or columns of a panel
  long count;  // panels
  long bytes;  // of a panel
};

// The products of one precision: how operands are packed, and what is made of them.
class Gemm {
 public:
  // bfloat16 where it is asked for and the processor has it.
  explicit Gemm(bool bf16);

  int nr() const { return nr_; }
  // Rows of an A panel, so that `rows` are shared out evenly. @param multiple a divisor of the panel's rows
  int panel_rows(long rows, int multiple = 1) const;
  // Rows from which a panel of the transposed matrix may begin.
  int k_grain() const { return products_.k_grain; }

  Panels a_panels(const void* data, long rows, int mr, long depth) const;
  Panels b_panels(const void* data, long columns, long depth) const;
  long bytes(const Panels& panels) const { return panels.count * panels.bytes; }
  // Where a panel goes on from a k, a multiple of k_grain().
  char* at(const Panels& panels, long panel, long k) const {
    return const_cast<char*>(panels.data) + panel * panels.bytes + k * panels.width * products_.k_bytes;
  }
  // The same panels without their first k; k is a multiple of k_grain().
  Panels from_k(const Panels& panels, long k) const {
    return {panels.data + k * panels.width * products_.k_bytes, panels.width, panels.count, panels.bytes};
  }

  void pack_a(const Panels& panels, long panel, const MatrixView& a, long rows, long depth) const;
  void pack_b(const Panels& panels, long panel, const MatrixView& b, long columns, long depth) const;
  // Packs the rows of k [k, k + depth) into panels that are deeper; k is a multiple of k_grain().
  void pack_a_slice(const Panels& panels, long panel, const MatrixView& a, long rows, long k, long depth) const;
  void pack_b_slice(const Panels& panels, long panel, const MatrixView& b, long columns, long k, long depth) const;

  // Whether the exponentials of a tile [rows][columns] are packed while they are made, see Products::exp_and_pack.
  bool packs_exponentials(long rows, long columns, int mr) const {
    return products_.exp_and_pack && rows == mr && columns == nr_;
  }
  struct Exponentials {
    float* tile;
    const float *bias, *shift;
    double* sum;
    float* max;
  };
  // Packs them as panel p of A, at k `row`, and as panel 0 of B, at k `column`.
  void exp_and_pack(const Exponentials& e, const Panels& by_row, long p, long row, const Panels& by_column,
                    long column) const {
    products_.exp_and_pack(by_row.width, e.tile, e.bias, e.shift, e.sum, e.max, at(by_row, p, row),
                           at(by_column, 0, column));
  }
  // Clears one element of a panel that exp_and_pack made.
  void clear(const Panels& panels, long panel, long line, long k) const;

  // A block of c: rows of the A panels `ps` and columns of the B panels `qs`. c is that of panel 0 of both; `bias` is
  // added where it is not null and `accumulate` is false.
  void multiply(const Panels& a, Range ps, const Panels& b, Range qs, long rows, long columns, long depth, float* c,
                long ldc, bool accumulate, const float* bias = nullptr) const;

  // The same for a c that nobody wants as a whole: `finish` gets each tile [mr][nr] as soon as it is made, with the panels
  // of A and B that it comes from, and may write on it. What lies beyond the columns of c is not set.
  typedef std::function<void(long p, long q, float* tile)> Finish;
  void for_each_tile(const Panels& a, Range ps, const Panels& b, Range qs, long columns, long depth,
                     const Finish& finish) const;

  // The same for the last columns of c, those of panel q of B. `finish` gets a tile as a view [rows][columns]: where the
  // columns are few, the rows are the lanes.
  typedef std::function<void(long p, const MatrixView& tile)> FinishView;
  void for_each_last_tile(const Panels& a, Range ps, const Panels& b, long q, long columns, long depth,
                          const FinishView& finish) const;

 private:
  const Products& products_;
  const int nr_;
};

// c[rows][columns] = a · b, or += with `accumulate`.
struct Product {
  long rows;
  long columns;
  long depth;
  MatrixView a;  // [rows, depth]
  MatrixView b;  // [depth, columns]; not read where `packed_b` is given
  float* c;
  long ldc;
  bool accumulate = false;
  const void* packed_b = nullptr;   // what pack_all_b made of b
  const float* bias = nullptr;      // [columns], added to each row
};

// Called by every thread of a team with the same arguments; ends with all of them at a barrier.
void multiply(const Gemm& gemm, const Product& product, const Member& member);

// Packs a B [depth, columns]; the calling thread takes its share of the panels.
void pack_all_b(const Gemm& gemm, const MatrixView& b, long columns, long depth, void* out, const Member& member);
long packed_b_bytes(const Gemm& gemm, long columns, long depth);

inline MatrixView row_major(const float* data, long width) { return {data, width, 1}; }
inline MatrixView transposed(const float* data, long width) { return {data, 1, width}; }

}  // namespace gatelm
