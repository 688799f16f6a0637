#include "gate_weights.h"

#include <unistd.h>

#include <algorithm>

namespace gatelm {
namespace {

// Streams of a thread that are worth reading all weights for.
constexpr long kStreams = 8;
// Steps over which weights that every thread reads stay near; before that they come from far, and each is read once.
constexpr long kSteps = 4;

// Weights of this size stay in the cache that all processors share.
long shared_cache_share() {
  long bytes = 0;
#if defined(_SC_LEVEL3_CACHE_SIZE)
  bytes = sysconf(_SC_LEVEL3_CACHE_SIZE);
#endif
  return bytes > 0 ? bytes * 2 / 5 : 8 << 20;
}

}  // namespace

LstmSplit::LstmSplit(const Gemm& gemm, long time, long batch, long hidden)
    : batch_(batch),
      hidden_(hidden),
      // Parts begin at half panels of B, and where a panel of A may begin.
      grain_(std::max(gemm.nr() / 2, gemm.k_grain())),
      // Tiles of 16 rows are as fast with twice the streams.
      by_streams_(time >= kSteps && batch >= kStreams * team_size() && gemm.k_grain() <= 2 &&
                  packed_b_bytes(gemm, 4 * hidden, hidden) <= shared_cache_share()) {}

GateWeights::GateWeights(const Gemm& gemm, const LstmSplit& split, const void* data, long depth, long hidden)
    : gemm_(gemm), split_(split), data_(static_cast<const char*>(data)), depth_(depth), hidden_(hidden) {
  long most = 0;
  for (int part = 0; part < team_size(); part++) {
    const Range units = split.part_units(part);
    most = std::max(most, packed_b_bytes(gemm, units.end - units.begin, depth));
  }
  gate_bytes_ = most;
}

Panels GateWeights::gate(long part, int g) const {
  const Range units = split_.part_units(part);
  return gemm_.b_panels(data_ + (4 * part + g) * gate_bytes_, units.end - units.begin, depth_);
}

void GateWeights::pack(const float* weights, const Member& member) const {
  const Range units = split_.part_units(member.index);
  for (int g = 0; g < 4; g++) {
    const Panels to = gate(member.index, g);
    const MatrixView columns = row_major(weights + g * hidden_ + units.begin, 4 * hidden_);
    for (long q = 0; q < to.count; q++) gemm_.pack_b(to, q, columns, units.end - units.begin, depth_);
  }
}

void GateWeights::multiply(long part, const Panels& a, long rows, float* z, bool accumulate, const float* bias) const {
  const Range units = split_.part_units(part);
  for (int g = 0; g < 4; g++) {
    const Panels b = gate(part, g);
    const long column = g * hidden_ + units.begin;
    gemm_.multiply(a, {0, a.count}, b, {0, b.count}, rows, units.end - units.begin, depth_, z + column, 4 * hidden_,
                   accumulate, bias ? bias + column : nullptr);
  }
}

TransposedGateWeights::TransposedGateWeights(const Gemm& gemm, const LstmSplit& split, long hidden)
    : gemm_(gemm), split_(split), hidden_(hidden) {
  depth_ = begin_of(team_size(), 0);
}

long TransposedGateWeights::padded(long part) const {
  const Range units = split_.part_units(part);
  const long grain = gemm_.k_grain();
  return (units.end - units.begin + grain - 1) / grain * grain;
}

long TransposedGateWeights::begin_of(long part, int g) const {
  long k = 0;
  for (long before = 0; before < part; before++) k += 4 * padded(before);
  return g == 0 ? k : k + g * padded(part);
}

// Each part may waste most of a panel.
long TransposedGateWeights::bytes() const {
  return packed_b_bytes(gemm_, hidden_ + team_size() * gemm_.nr(), depth_);
}

Panels TransposedGateWeights::panels(long part, const char* data) const {
  const Range units = split_.part_units(part);
  const long before = units.begin / gemm_.nr() + part;
  return gemm_.b_panels(data + before * packed_b_bytes(gemm_, 1, depth_), units.end - units.begin, depth_);
}

void TransposedGateWeights::pack(const float* wh, char* data, const Member& member) const {
  const Range columns = split_.part_units(member.index);
  const Panels to = panels(member.index, data);
  for (long q = 0; q < to.count; q++) {
    for (int part = 0; part < member.size; part++) {
      const Range units = split_.part_units(part);
      for (int g = 0; g < 4 && units.begin < units.end; g++) {
        const float* corner = wh + columns.begin * 4 * hidden_ + g * hidden_ + units.begin;
        gemm_.pack_b_slice(to, q, transposed(corner, 4 * hidden_), columns.end - columns.begin, begin_of(part, g),
                           units.end - units.begin);
      }
    }
  }
}

void TransposedGateWeights::pack_gradient(long part, const float* z, long rows, const Panels& to) const {
  const Range units = split_.part_units(part);
  for (int g = 0; g < 4 && units.begin < units.end; g++) {
    const MatrixView view = row_major(z + g * hidden_ + units.begin, 4 * hidden_);
    for (long p = 0; p < to.count; p++) {
      gemm_.pack_a_slice(to, p, view, rows, begin_of(part, g), units.end - units.begin);
    }
  }
}

void TransposedGateWeights::multiply(long part, const char* data, const Panels& a, long rows, float* d_hidden) const {
  const Range units = split_.part_units(part);
  const Panels b = panels(part, data);
  gemm_.multiply(a, {0, a.count}, b, {0, b.count}, rows, units.end - units.begin, depth_, d_hidden + units.begin,
                 hidden_, false);
}

}  // namespace gatelm
