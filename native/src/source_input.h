// The source of a cell's run among the inputs of an op.
#pragma once

#include "lstm.h"
#include "tf_op.h"

namespace gatelm {

// x [T, N, D] and indices [0]; or x [rows, D] and indices [T, N], int32. Sets time, batch and input of the shape.
// @return whether they fit each other
inline bool read_source(OpRun& run, int x, int indices, CellSource* source, LstmShape* shape) {
  const auto dims = run.dims(x), at = run.dims(indices);
  const bool indexed = at.size() == 2;
  if (!run.require(indexed ? dims.size() == 2 : dims.size() == 3 && run.size(indices) == 0,
                   "x must be [T, N, D] with indices [0], or [rows, D] with indices [T, N]")) {
    return false;
  }
  shape->time = indexed ? at[0] : dims[0];
  shape->batch = indexed ? at[1] : dims[1];
  shape->input = dims.back();
  *source = {run.floats(x), indexed ? run.ints(indices) : nullptr, indexed ? dims[0] : 0};
  return !indexed || run.require_ids(source->indices, run.size(indices), source->rows, "an index is not below the rows of x");
}

}  // namespace gatelm
