// The likeliest tokens of each stream.
#pragma once

#include <stdint.h>

namespace gatelm {

// The k largest of each row, the largest first; equal ones in the order of their columns. k is at most `columns`.
// values and ids have k columns.
void top_logits(const float* logits, long rows, long columns, long k, float* values, int32_t* ids);

}  // namespace gatelm
