// Some rows of a table, and gradients that touch only these: an embedding's.
#pragma once

#include <stdint.h>

#include <vector>

#include "thread_pool.h"

namespace gatelm {

// The different ids in the order of their first appearance, and for each entry the index of its id among them.
struct RowIndex {
  std::vector<int32_t> ids;
  std::vector<int32_t> position;
};
RowIndex index_rows(const int32_t* ids, long count);

// out[m] = table[ids[m]]
void copy_rows(const float* table, const int32_t* ids, long count, long width, float* out);

// out[position[m]] = the sum of its rows[m]; out has index.ids.size() rows of `width`.
void sum_rows(const RowIndex& index, const float* rows, long width, float* out);

// table[ids[m]] += rows[m] · factor, in place.
void add_rows(float* table, const int32_t* ids, const float* rows, long count, long width, float factor);

}  // namespace gatelm
