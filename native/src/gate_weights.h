// How the threads share an LSTM, and its weights packed for that.
#pragma once

#include "gemm.h"

namespace gatelm {

// How the threads share the steps of an LSTM. By streams: each runs its own streams through all units, and nobody waits.
// By units: each makes all four gates of its units, for all streams; one barrier a step. Weights are packed in parts, one
// a thread, in both cases: the columns of its units.
class LstmSplit {
 public:
  LstmSplit(const Gemm& gemm, long time, long batch, long hidden);

  bool by_streams() const { return by_streams_; }
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
  Range part_units(long part) const { return share(hidden_, static_cast<int>(part), team_size(), grain_); }
  // Lets the others see what this member made of a step.
  void next_step(const Member& member) const {
    if (!by_streams_) member.barrier.wait();
  }

 private:
  long batch_, hidden_, grain_;
  bool by_streams_;
};

// Wx [D, 4H] or Wh [H, 4H] as the right side of a product. Packed: part after part, gate after gate.
class GateWeights {
 public:
  GateWeights(const Gemm& gemm, const LstmSplit& split, const void* data, long depth, long hidden);

  long bytes() const { return 4 * gate_bytes_ * team_size(); }

  // Packs the part of the member. @param weights [depth, 4H]
  void pack(const float* weights, const Member& member) const;

  // z [rows, 4H] (+)= a · weights (+ bias), at the units of a part.
  void multiply(long part, const Panels& a, long rows, float* z, bool accumulate, const float* bias) const;

 private:
  Panels gate(long part, int g) const;

  const Gemm& gemm_;
  const LstmSplit& split_;
  const char* data_;
  const long depth_, hidden_;
  long gate_bytes_ = 0;
};

// Whᵀ [4H, H] as the right side of dZ · Whᵀ. Its k, 4H of them, stand in another order: part after part, gate after gate
// the units of the part, so that a thread packs what it has just made.
class TransposedGateWeights {
 public:
  TransposedGateWeights(const Gemm& gemm, const LstmSplit& split, long hidden);

  long depth() const { return depth_; }  // 4H, and zeros
  long bytes() const;

  // Packs the columns of the member's part. @param wh [H, 4H]
  void pack(const float* wh, char* data, const Member& member) const;

  // Packs dZ of some streams, at the units of a part. @param z [rows, 4H]
  void pack_gradient(long part, const float* z, long rows, const Panels& to) const;

  // d_hidden [rows, H] = a · Whᵀ, at the units of a part.
  void multiply(long part, const char* data, const Panels& a, long rows, float* d_hidden) const;

 private:
  Panels panels(long part, const char* data) const;
  long padded(long part) const;
  long begin_of(long part, int g) const;

  const Gemm& gemm_;
  const LstmSplit& split_;
  const long hidden_;
  long depth_ = 0;
};

}  // namespace gatelm
