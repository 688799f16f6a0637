// How the threads share the steps of a recurrent cell, and its weights packed for that.
#pragma once

#include "gemm.h"

namespace gatelm {

// How the threads share the steps of a cell. By streams: each runs its own streams through all units, and nobody waits.
// By units: each makes all gates of its units, for all streams, and they wait for each other; and what one writes stands so near to
// what another reads that their processors, which read ahead, take it from each other. Weights are packed in parts,
// one a thread, in both cases: the columns of its units.
class CellSplit {
 public:
  // @param weight_bytes what a step reads of packed weights
  CellSplit(const Gemm& gemm, long time, long batch, long units, long weight_bytes);

  // The same streams, with another number of units.
  CellSplit with_units(long units) const {
    CellSplit split = *this;
    split.units_ = units;
    return split;
  }

  bool by_streams() const { return by_streams_; }
  long all_units() const { return units_; }
  // Streams of a member, at most.
  long max_streams() const { return by_streams_ ? (batch_ + team_size() - 1) / team_size() : batch_; }
  // The member's streams.
  Range streams(const Member& member) const { return by_streams_ ? share(batch_, member) : Range{0, batch_}; }
  // The parts that it works on.
  Range parts(const Member& member) const {
    return by_streams_ ? Range{0, member.size} : Range{member.index, member.index + 1};
  }
  // The units of these parts.
  Range units(const Member& member) const {
    const Range mine = parts(member);
    return {part_units(mine.begin).begin, part_units(mine.end - 1).end};
  }
  Range part_units(long part) const { return share(units_, static_cast<int>(part), team_size(), grain_); }
  // Lets the others see what this member made of a step.
  void next_step(const Member& member) const {
    if (!by_streams_) member.barrier.wait();
  }

 private:
  long batch_, units_, grain_;
  bool by_streams_;
};

// Gates among their sums: the weights are [depth, count · H], the sums [rows, width · H], and gate g of the weights is
// block place[g] of the sums.
struct GateLayout {
  int count;
  int width;
  int place[4];
};
constexpr GateLayout kOneGate{1, 1, {0}};

// Weights [depth, count · H] of some gates as the right side of a product. Packed: part after part, gate after gate.
class GateWeights {
 public:
  GateWeights(const Gemm& gemm, const CellSplit& split, const void* data, long depth, const GateLayout& layout);

  long bytes() const { return layout_.count * gate_bytes_ * team_size(); }

  // Packs the part of the member. @param weights [depth, count · H]
  void pack(const float* weights, const Member& member) const;

  // sums [rows, width · H] (+)= a · weights (+ bias [count · H]), at the units of the member's parts.
  void multiply(const Panels& a, long rows, float* sums, bool accumulate, const float* bias, const Member& member) const {
    multiply(split_.parts(member), a, rows, sums, accumulate, bias);
  }
  // The same for the part of the member alone, however the threads share the steps.
  void multiply_part(const Panels& a, long rows, float* sums, bool accumulate, const float* bias, const Member& member) const {
    multiply({member.index, member.index + 1}, a, rows, sums, accumulate, bias);
  }

 private:
  void multiply(Range parts, const Panels& a, long rows, float* sums, bool accumulate, const float* bias) const;
  Panels gate(long part, int g) const;

  const Gemm& gemm_;
  const CellSplit split_;
  const char* data_;
  const long depth_;
  const GateLayout layout_;
  long gate_bytes_ = 0;
};

// The same weights transposed, [count · H, outputs]: the right side of dSums · weightsᵀ. The k of a gate begin at a multiple
// of k_grain; in between there are zeros.
class TransposedGateWeights {
 public:
  // @param outputs how the threads share the columns @param split how they share the units
  TransposedGateWeights(const Gemm& gemm, const CellSplit& outputs, const CellSplit& split, const GateLayout& layout);

  long depth() const { return layout_.count * padded_; }
  long bytes() const;

  // Packs the columns of the member's part. @param weights [outputs, count · H]
  void pack(const float* weights, char* data, const Member& member) const;

  // Packs dSums of the member's streams, at its units. @param sums [rows, width · H]
  void pack_gradient(const float* sums, long rows, const Panels& to, const Member& member) const;

  // d [rows, outputs] (+)= a · weightsᵀ, at the member's columns.
  void multiply(const char* data, const Panels& a, long rows, float* d, bool accumulate, const Member& member) const;

 private:
  Panels panels(long part, const char* data) const;

  const Gemm& gemm_;
  const CellSplit outputs_, split_;
  const GateLayout layout_;
  long padded_;  // units of a gate, and zeros
};

// The packed lines of one step, [N, depth], as the left side of a product. By streams each member has its own panels; by
// units all share one set, to which each adds what it made.
class StepPanels {
 public:
  StepPanels(const Gemm& gemm, const CellSplit& split, long depth);

  long bytes() const { return bytes_ * (split_.by_streams() ? team_size() : 1); }

  // The panels of the member's streams.
  Panels at(const char* data, const Member& member) const;

  // Packs the member's streams, at its units of `split`. @param lines [N, units]
  void pack(char* data, const float* lines, const CellSplit& split, const Member& member) const;

 private:
  const Gemm& gemm_;
  const CellSplit split_;
  const long depth_;
  const int mr_;
  long bytes_;  // of one set of panels
};

}  // namespace gatelm
