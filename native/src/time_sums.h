// What the gradients of all cells do with the steps of a whole run.
#pragma once

#include <string.h>

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

// The states before each step, [T, states]; the calling thread takes its share of the steps.
inline void shift_states(const float* first, const float* after, long time, long states, float* before,
                         const Member& member) {
  const Range steps = share(time, member);
  for (long t = steps.begin; t < steps.end; t++) {
    memcpy(before + t * states, t == 0 ? first : after + (t - 1) * states, sizeof(float) * states);
  }
}

}  // namespace gatelm
