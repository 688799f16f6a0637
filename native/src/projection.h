// What a cell's run makes of its input alone, x·Wx + b.
#pragma once

#include <string.h>

#include "gate_weights.h"
#include "gemm.h"
#include "lstm.h"

namespace gatelm {

// The product of all lines of a source at once: straight into the sums of all steps where each has a line of its own, else
// beside them, from where each step takes its lines.
class Projection {
 public:
  // @param sums of all steps, [T, N, width · H]
  Projection(const Gemm& gemm, const CellSource& source, const LstmShape& shape, long width, float* sums)
      : gemm_(gemm), source_(source), shape_(shape), width_(width), lines_(source.lines(shape)), sums_(sums) {
    made_ = source.indices ? Workspace::floats(Workspace::kProjected, lines_ * width * shape.hidden) : sums;
    const int mr = gemm.panel_rows(lines_);
    const long bytes = gemm.bytes(gemm.a_panels(nullptr, lines_, mr, shape.input));
    x_ = gemm.a_panels(Workspace::bytes(Workspace::kPackedA, bytes), lines_, mr, shape.input);
  }

  // Packs the member's share of the lines.
  void pack(const Member& member) const {
    const Range mine = share(x_.count, member);
    for (long p = mine.begin; p < mine.end; p++) {
      gemm_.pack_a(x_, p, row_major(source_.x, shape_.input), lines_, shape_.input);
    }
  }

  // Puts [H] numbers into a block of the member's share of the lines.
  void fill(long block, const float* values, const Member& member) const {
    const long H = shape_.hidden;
    const Range mine = share(lines_, member);
    for (long m = mine.begin; m < mine.end; m++) memcpy(made_ + (m * width_ + block) * H, values, sizeof(float) * H);
  }

  // x·Wx + b at the units of the member's part, when all have packed.
  void multiply(const GateWeights& wx, const float* b, const Member& member) const {
    wx.multiply_part(x_, lines_, made_, false, b, member);
  }

  // Brings it into the sums of a step, at the member's streams and units.
  void put(long step, Range streams, Range units) const {
    if (!source_.indices) return;  // it is there
    const long H = shape_.hidden, count = units.end - units.begin;
    for (long n = streams.begin; n < streams.end && count > 0; n++) {
      const long at = step * shape_.batch + n;
      const float* from = made_ + source_.indices[at] * width_ * H + units.begin;
      float* to = sums_ + at * width_ * H + units.begin;
      for (long block = 0; block < width_; block++) memcpy(to + block * H, from + block * H, sizeof(float) * count);
    }
  }

 private:
  const Gemm& gemm_;
  const CellSource source_;
  const LstmShape shape_;
  const long width_, lines_;
  float *const sums_, *made_;
  Panels x_;
};

}  // namespace gatelm
