// What the gradients of all cells do with the steps of a whole run.
#pragma once

#include <string.h>

#include <algorithm>

#include "gemm.h"
#include "isa.h"
#include "thread_pool.h"

namespace gatelm {

// The column sums of `count` rows that begin `stride` apart; the calling thread takes its share of the columns.
inline void sum_columns(const float* rows, long count, long stride, long width, float* out, const Member& member) {
  const Range columns = share(width, member, 16);
  const long here = columns.end - columns.begin;
  if (here <= 0) return;
  memset(out + columns.begin, 0, sizeof(float) * here);
  for (long m = 0; m < count; m++) isa().add(here, rows + m * stride + columns.begin, out + columns.begin);
}

// What is made of the gradients of the gates' sums of all steps [count, stride], besides dx: their first `width` columns packed as
// the right side of products; the sums of all columns; where steps share lines of the input, the sums over the steps of each line.
struct SumsGradients {
  const float* rows;
  long count, stride, width;
  void* packed;
  float* sums;             // [stride]
  const int32_t* indices;  // [count], the line that a step reads; null where each has its own
  long line_count;
  float* lines;            // [line_count, stride]
};

// Some rows after the others, so that they come from far once. The calling thread takes its share of the columns.
inline void pack_and_sum(const Gemm& gemm, const SumsGradients& job, const Member& member) {
  constexpr long kRows = 64;  // a multiple of every k_grain
  const Panels panels = gemm.b_panels(job.packed, job.width, job.count);
  const Range mine = share(panels.count, member);
  const long first = mine.begin * panels.width;
  const long end = mine.end == panels.count ? job.stride : mine.end * panels.width, here = end - first;
  if (here <= 0) return;
  memset(job.sums + first, 0, sizeof(float) * here);
  for (long line = 0; job.indices && line < job.line_count; line++) {
    memset(job.lines + line * job.stride + first, 0, sizeof(float) * here);
  }
  for (long begin = 0; begin < job.count; begin += kRows) {
    const long rows = std::min(kRows, job.count - begin);
    for (long m = begin; m < begin + rows; m++) {
      const float* from = job.rows + m * job.stride + first;
      isa().add(here, from, job.sums + first);
      if (job.indices) isa().add(here, from, job.lines + job.indices[m] * job.stride + first);
    }
    const MatrixView view = row_major(job.rows + begin * job.stride, job.stride);
    for (long q = mine.begin; q < mine.end; q++) gemm.pack_b_slice(panels, q, view, job.width, begin, rows);
  }
}

// The states before each step, [T, states]; the calling thread takes its share of the steps.
inline void shift_states(const float* first, const float* after, long time, long states, float* before,
                         const Member& member) {
  const Range steps = share(time, member);
  for (long t = steps.begin; t < steps.end; t++) {
    memcpy(before + t * states, t == 0 ? first : after + (t - 1) * states, sizeof(float) * states);
  }
}

}  // namespace gatelm
