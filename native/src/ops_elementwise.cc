// Dropout, rows, and the updates of weights. The ops that say "in place" write to their first inputs: a Parameter and an
// optimizer's slot own their buffers alone (src/layers/parameter.ts), so nobody else sees it.
#include <string.h>

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
void compute_dropout(void*, TF_OpKernelContext* context) {
  OpRun run(context);
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

void compute_coalesce(void*, TF_OpKernelContext* context) {
  OpRun run(context);
  const auto dims = run.dims(1);
  if (!run.require(dims.size() == 2 && run.size(0) == dims[0], "ids must be [M], rows [M, D]")) return;
  const RowIndex index = index_rows(run.ints(0), dims[0]);
  const int64_t unique = static_cast<int64_t>(index.ids.size());
  memcpy(run.int_output(0, unique), index.ids.data(), sizeof(int32_t) * unique);
  sum_rows(index, run.floats(1), dims[1], run.output(1, {unique, dims[1]}));
}

// table [V, D] in place; ids [M]; rows [M, D]; factor [1].
void compute_add_rows(void*, TF_OpKernelContext* context) {
  OpRun run(context);
  const auto table = run.dims(0), rows = run.dims(2);
  if (!run.require(table.size() == 2 && rows.size() == 2 && table[1] == rows[1] && run.size(1) == rows[0],
                   "table must be [V, D], ids [M], rows [M, D]")) {
    return;
  }
  const int32_t* ids = run.ints(1);
  for (long m = 0; m < rows[0]; m++) {
    if (!run.require(ids[m] >= 0 && ids[m] < table[0], "a row number is not below V")) return;
  }
  add_rows(run.floats(0), ids, run.floats(2), rows[0], rows[1], run.floats(3)[0]);
  run.output(0, {1})[0] = 0;
}

void compute_sum_squares(void*, TF_OpKernelContext* context) {
  OpRun run(context);
  const long count = run.size(0), chunks = (count + kChunk - 1) / kChunk;
  const float* x = run.floats(0);
  std::vector<double> sums(chunks);
  run_team([&](const Member& member) {
    const Range range = share(chunks, member);
    for (long chunk = range.begin; chunk < range.end; chunk++) {
      const long begin = chunk * kChunk, end = begin + kChunk < count ? begin + kChunk : count;
      sums[chunk] = isa().sum_squares(end - begin, x + begin);
    }
  });
  double total = 0;
  for (double sum : sums) total += sum;
  run.output(0, std::vector<int64_t>{})[0] = static_cast<float>(total);
}

// value in place, gradient, average in place (or [0]); scalars [4]: learning rate, gradient scale, weight decay,
// average coefficient.
void compute_sgd(void*, TF_OpKernelContext* context) {
  OpRun run(context);
  const long count = run.size(0), averaged = run.size(2);
  if (!run.require(run.size(1) == count && (averaged == 0 || averaged == count) && run.size(3) == 4,
                   "gradient and average must have the shape of the value")) {
    return;
  }
  float *value = run.floats(0), *average = averaged ? run.floats(2) : nullptr;
  const float *gradient = run.floats(1), *s = run.floats(3);
  run_shared(count, 64, [&](Range range) {
    isa().sgd(range.end - range.begin, value + range.begin, gradient + range.begin,
              average ? average + range.begin : nullptr, s[0], s[1], s[2], s[3]);
  });
  run.output(0, {1})[0] = 0;
}

// value in place; trained; gradient or [0] for zeros; roots or [0] for plain SGD; scalars [3]: learning rate, decay,
// epsilon.
void compute_adapt(void*, TF_OpKernelContext* context) {
  OpRun run(context);
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
void compute_adam(void*, TF_OpKernelContext* context) {
  OpRun run(context);
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
      {"GatelmCoalesceRows", {"ids: int32", "rows: float"}, {"unique_ids: int32", "sums: float"}, compute_coalesce},
      {"GatelmAddRows", {"table: float", "ids: int32", "rows: float", "factor: float"}, {"done: float"},
       compute_add_rows},
      {"GatelmSumSquares", {"x: float"}, {"sum: float"}, compute_sum_squares},
      {"GatelmSgd", {"value: float", "gradient: float", "average: float", "scalars: float"}, {"done: float"},
       compute_sgd},
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
