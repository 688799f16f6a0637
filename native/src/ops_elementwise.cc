// Dropout, rows, and the updates of weights. The ops that say "in place" write to their first inputs: a Parameter and an
// optimizer's slot own their buffers alone (src/layers/parameter.ts), so nobody else sees it.
#include <string.h>

#include <algorithm>
#include <vector>

#include "isa.h"
#include "rows.h"
#include "tf_op.h"
#include "thread_pool.h"

namespace gatelm {
namespace {

// Elements of a chunk that is summed on its own: sums do not depend on the number of threads.
constexpr long kChunk = 1 << 16;

// x, options int32 [6]: seed, stream, counter low and high, threshold, period; kept float [1].
void compute_dropout(void* kernel, TF_OpKernelContext* context) {
  OpRun run(kernel, context);
  const long count = run.size(0);
  const int32_t* options = run.ints(1);
  if (!run.require(run.size(1) == 6 && options[5] > 0, "options must be six numbers, the period above 0")) return;
  uint32_t key[4];
  memcpy(key, options, sizeof key);
  const uint32_t threshold = static_cast<uint32_t>(options[4]);
  const long period = options[5];
  const float kept = run.floats(2)[0];
  const float* x = run.floats(0);
  float* y = run.output(0, run.dims(0));
  run_shared(count, 64, [&](Range range) {
    isa().dropout(range.begin, range.end - range.begin, x + range.begin, y + range.begin, key, threshold, kept, period);
  });
}

// table [V, D], ids int32 of any shape S; rows [S, D].
void compute_rows(void* kernel, TF_OpKernelContext* context) {
  OpRun run(kernel, context);
  const auto table = run.dims(0);
  auto shape = run.dims(1);
  if (!run.require(table.size() == 2, "table must be [V, D]")) return;
  const long count = run.size(1), width = table[1];
  const int32_t* ids = run.ints(1);
  if (!run.require_ids(ids, count, table[0], "a row number is not below V")) return;
  shape.push_back(width);
  copy_rows(run.floats(0), ids, count, width, run.output(0, shape));
}

// ids [M], rows [M, D] or [T, N, D].
void compute_coalesce(void* kernel, TF_OpKernelContext* context) {
  OpRun run(kernel, context);
  const auto dims = run.dims(1);
  const long count = run.size(0);
  if (!run.require(dims.size() >= 2 && count * dims.back() == run.size(1), "ids must be [M], rows [M, D] or [T, N, D]")) {
    return;
  }
  const RowIndex index = index_rows(run.ints(0), count);
  const int64_t unique = static_cast<int64_t>(index.ids.size());
  memcpy(run.int_output(0, unique), index.ids.data(), sizeof(int32_t) * unique);
  sum_rows(index, run.floats(1), dims.back(), run.output(1, {unique, dims.back()}));
}

// table [V, D] in place; ids [M]; rows [M, D]; factor [1].
void compute_add_rows(void* kernel, TF_OpKernelContext* context) {
  OpRun run(kernel, context);
  const auto table = run.dims(0), rows = run.dims(2);
  if (!run.require(table.size() == 2 && rows.size() == 2 && table[1] == rows[1] && run.size(1) == rows[0],
                   "table must be [V, D], ids [M], rows [M, D]")) {
    return;
  }
  const int32_t* ids = run.ints(1);
  if (!run.require_ids(ids, rows[0], table[0], "a row number is not below V")) return;
  add_rows(run.floats(0), ids, run.floats(2), rows[0], rows[1], run.floats(3)[0]);
  run.output(0, {1})[0] = 0;
}

// A sum for each input.
void compute_sum_squares(void* kernel, TF_OpKernelContext* context) {
  OpRun run(kernel, context);
  struct Chunk {
    int input;
    const float* x;
    long count;
    double sum;
  };
  std::vector<Chunk> chunks;
  for (int i = 0; i < run.inputs(); i++) {
    const long count = run.size(i);
    const float* x = run.floats(i);
    for (long begin = 0; begin < count; begin += kChunk) {
      chunks.push_back({i, x + begin, begin + kChunk < count ? kChunk : count - begin, 0});
    }
  }
  run_team([&](const Member& member) {
    const Range range = share(chunks.size(), member);
    for (long c = range.begin; c < range.end; c++) chunks[c].sum = isa().sum_squares(chunks[c].count, chunks[c].x);
  });
  std::vector<double> sums(run.inputs());
  for (const Chunk& chunk : chunks) sums[chunk.input] += chunk.sum;
  std::copy(sums.begin(), sums.end(), run.output(0, {run.inputs()}));
}

// Values in place, a gradient each, averages in place of all or of none; scalars [4]: learning rate, gradient scale,
// weight decay, average coefficient.
void compute_sgd(void* kernel, TF_OpKernelContext* context) {
  OpRun run(kernel, context);
  const int tensors = run.inputs() - 1, values = run.length;
  const bool averaged = tensors == 3 * values;
  bool fits = (averaged || tensors == 2 * values) && run.size(tensors) == 4;
  for (int i = values; i < tensors && fits; i++) fits = run.size(i) == run.size(i % values);
  if (!run.require(fits, "gradients and averages must have the shapes of the values")) return;
  const float* s = run.floats(tensors);
  for (int i = 0; i < values; i++) {
    float *value = run.floats(i), *average = averaged ? run.floats(2 * values + i) : nullptr;
    const float* gradient = run.floats(values + i);
    run_shared(run.size(i), 64, [&](Range range) {
      isa().sgd(range.end - range.begin, value + range.begin, gradient + range.begin,
                average ? average + range.begin : nullptr, s[0], s[1], s[2], s[3]);
    });
  }
  run.output(0, {1})[0] = 0;
}

// value in place; trained; gradient or [0] for zeros; roots or [0] for plain SGD; scalars [3]: learning rate, decay,
// epsilon.
void compute_adapt(void* kernel, TF_OpKernelContext* context) {
  OpRun run(kernel, context);
  const long count = run.size(0), gradients = run.size(2), rooted = run.size(3);
  if (!run.require(run.size(1) == count && (gradients == 0 || gradients == count) && (rooted == 0 || rooted == count) &&
                       run.size(4) == 3,
                   "trained, gradient and roots must have the shape of the value")) {
    return;
  }
  float* value = run.floats(0);
  const float *trained = run.floats(1), *s = run.floats(4);
  const float *gradient = gradients ? run.floats(2) : nullptr, *roots = rooted ? run.floats(3) : nullptr;
  run_shared(count, 64, [&](Range range) {
    const long at = range.begin;
    isa().adapt(range.end - at, value + at, trained + at, gradient ? gradient + at : nullptr,
                roots ? roots + at : nullptr, s[0], s[1], s[2]);
  });
  run.output(0, {1})[0] = 0;
}

// value, m, v in place; gradient; scalars [9] as in AdamScalars.
void compute_adam(void* kernel, TF_OpKernelContext* context) {
  OpRun run(kernel, context);
  const long count = run.size(0);
  if (!run.require(run.size(1) == count && run.size(2) == count && run.size(3) == count && run.size(4) == 9,
                   "m, v and gradient must have the shape of the value")) {
    return;
  }
  AdamScalars scalars;
  memcpy(&scalars, run.floats(4), sizeof scalars);
  float *value = run.floats(0), *m = run.floats(1), *v = run.floats(2);
  const float* gradient = run.floats(3);
  run_shared(count, 64, [&](Range range) {
    const long at = range.begin;
    isa().adam(range.end - at, value + at, m + at, v + at, gradient + at, scalars);
  });
  run.output(0, {1})[0] = 0;
}

}  // namespace

const char* register_elementwise_ops() {
  const OpDefinition definitions[] = {
      {"GatelmDropout", {"x: float", "options: int32", "kept: float"}, {"y: float"}, compute_dropout},
      {"GatelmRows", {"table: float", "ids: int32"}, {"rows: float"}, compute_rows},
      {"GatelmCoalesceRows", {"ids: int32", "rows: float"}, {"unique_ids: int32", "sums: float"}, compute_coalesce},
      {"GatelmAddRows", {"table: float", "ids: int32", "rows: float", "factor: float"}, {"done: float"},
       compute_add_rows},
      {"GatelmSumSquares", {"xs: N * float"}, {"sums: float"}, compute_sum_squares, {"N: int >= 1"}},
      {"GatelmSgd", {"values: N * float", "gradients: N * float", "averages: A * float", "scalars: float"},
       {"done: float"}, compute_sgd, {"N: int >= 1", "A: int >= 0"}},
      {"GatelmAdapt",
       {"value: float", "trained: float", "gradient: float", "roots: float", "scalars: float"},
       {"done: float"},
       compute_adapt},
      {"GatelmAdam", {"value: float", "m: float", "v: float", "gradient: float", "scalars: float"}, {"done: float"},
       compute_adam},
  };
  for (const OpDefinition& definition : definitions) {
    if (const char* error = register_op(definition)) return error;
  }
  return nullptr;
}

}  // namespace gatelm
