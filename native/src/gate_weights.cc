#include "gate_weights.h"

#include <unistd.h>

#include <algorithm>

namespace gatelm {
namespace {

// Streams of a thread that are worth reading all weights for.
constexpr long kStreams = 8;
// Steps over which weights that every thread reads stay near; before that they come from far, and each is read once.
constexpr long kSteps = 4;

// Weights of this size stay in a cache while a thread reads them step by step: in the one that all processors share; for tiles of
// AMX, which are made faster than those come, in that of a processor.
long near_bytes(bool tiles) {
  long bytes = 0;
#if defined(_SC_LEVEL3_CACHE_SIZE)
  bytes = sysconf(tiles ? _SC_LEVEL2_CACHE_SIZE : _SC_LEVEL3_CACHE_SIZE) * 2 / 5;
#endif
  return bytes > 0 ? bytes : tiles ? 512 << 10 : 8 << 20;
}

}  // namespace

CellSplit::CellSplit(const Gemm& gemm, long time, long batch, long units, long weight_bytes)
    : batch_(batch),
      units_(units),
      // Parts begin at half panels of B, and where a panel of A may begin.
      grain_(std::max(gemm.nr() / 2, gemm.k_grain())),
      by_streams_(time >= kSteps && batch >= kStreams * team_size() &&
                  weight_bytes <= near_bytes(gemm.k_grain() > 2)) {}

GateWeights::GateWeights(const Gemm& gemm, const CellSplit& split, const void* data, long depth, const GateLayout& layout)
    : gemm_(gemm), split_(split), data_(static_cast<const char*>(data)), depth_(depth), layout_(layout) {
  for (int part = 0; part < team_size(); part++) {
    const Range units = split.part_units(part);
    gate_bytes_ = std::max(gate_bytes_, packed_b_bytes(gemm, units.end - units.begin, depth));
  }
}

Panels GateWeights::gate(long part, int g) const {
  const Range units = split_.part_units(part);
  return gemm_.b_panels(data_ + (layout_.count * part + g) * gate_bytes_, units.end - units.begin, depth_);
}

void GateWeights::pack(const float* weights, const Member& member) const {
  const long hidden = split_.all_units();
  const Range units = split_.part_units(member.index);
  for (int g = 0; g < layout_.count; g++) {
    const Panels to = gate(member.index, g);
    const MatrixView columns = row_major(weights + g * hidden + units.begin, layout_.count * hidden);
    for (long q = 0; q < to.count; q++) gemm_.pack_b(to, q, columns, units.end - units.begin, depth_);
  }
}

void GateWeights::multiply(Range parts, const Panels& a, long rows, float* sums, bool accumulate, const float* bias) const {
  const long hidden = split_.all_units();
  for (long part = parts.begin; part < parts.end; part++) {
    const Range units = split_.part_units(part);
    for (int g = 0; g < layout_.count; g++) {
      const Panels b = gate(part, g);
      gemm_.multiply(a, {0, a.count}, b, {0, b.count}, rows, units.end - units.begin, depth_,
                     sums + layout_.place[g] * hidden + units.begin, layout_.width * hidden, accumulate,
                     bias ? bias + g * hidden + units.begin : nullptr);
    }
  }
}

TransposedGateWeights::TransposedGateWeights(const Gemm& gemm, const CellSplit& outputs, const CellSplit& split,
                                             const GateLayout& layout)
    : gemm_(gemm),
      outputs_(outputs),
      split_(split),
      layout_(layout),
      padded_((split.all_units() + gemm.k_grain() - 1) / gemm.k_grain() * gemm.k_grain()) {}

// Each part may waste most of a panel.
long TransposedGateWeights::bytes() const {
  return packed_b_bytes(gemm_, outputs_.all_units() + team_size() * gemm_.nr(), depth());
}

Panels TransposedGateWeights::panels(long part, const char* data) const {
  const Range columns = outputs_.part_units(part);
  const long before = columns.begin / gemm_.nr() + part;
  return gemm_.b_panels(data + before * packed_b_bytes(gemm_, 1, depth()), columns.end - columns.begin, depth());
}

void TransposedGateWeights::pack(const float* weights, char* data, const Member& member) const {
  const Range columns = outputs_.part_units(member.index);
  const Panels to = panels(member.index, data);
  const long hidden = split_.all_units(), width = layout_.count * hidden;
  for (long q = 0; q < to.count; q++) {
    for (int g = 0; g < layout_.count; g++) {
      gemm_.pack_b_slice(to, q, transposed(weights + columns.begin * width + g * hidden, width), columns.end - columns.begin,
                         g * padded_, hidden);
    }
  }
}

void TransposedGateWeights::pack_gradient(const float* sums, long rows, const Panels& to, const Member& member) const {
  const long hidden = split_.all_units();
  const Range units = split_.units(member);
  if (units.begin >= units.end) return;
  for (int g = 0; g < layout_.count; g++) {
    const MatrixView view = row_major(sums + layout_.place[g] * hidden + units.begin, layout_.width * hidden);
    for (long p = 0; p < to.count; p++) {
      gemm_.pack_a_slice(to, p, view, rows, g * padded_ + units.begin, units.end - units.begin);
    }
  }
}

void TransposedGateWeights::multiply(const char* data, const Panels& a, long rows, float* d, bool accumulate,
                                     const Member& member) const {
  const Range parts = outputs_.parts(member);
  for (long part = parts.begin; part < parts.end; part++) {
    const Range columns = outputs_.part_units(part);
    const Panels b = panels(part, data);
    gemm_.multiply(a, {0, a.count}, b, {0, b.count}, rows, columns.end - columns.begin, depth(), d + columns.begin,
                   outputs_.all_units(), accumulate);
  }
}

StepPanels::StepPanels(const Gemm& gemm, const CellSplit& split, long depth)
    : gemm_(gemm), split_(split), depth_(depth), mr_(gemm.panel_rows(split.max_streams())) {
  bytes_ = gemm.bytes(gemm.a_panels(nullptr, split.max_streams(), mr_, depth));
}

Panels StepPanels::at(const char* data, const Member& member) const {
  const Range streams = split_.streams(member);
  return gemm_.a_panels(data + (split_.by_streams() ? member.index * bytes_ : 0), streams.end - streams.begin, mr_, depth_);
}

void StepPanels::pack(char* data, const float* lines, const CellSplit& split, const Member& member) const {
  const Range streams = split.streams(member), units = split.units(member);
  const Panels to = at(data, member);
  const MatrixView view = row_major(lines + streams.begin * split.all_units() + units.begin, split.all_units());
  for (long p = 0; p < to.count && units.begin < units.end; p++) {
    gemm_.pack_a_slice(to, p, view, streams.end - streams.begin, units.begin, units.end - units.begin);
  }
}

}  // namespace gatelm
