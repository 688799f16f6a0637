// The recurrent weights of an LSTM, packed for its steps.
#pragma once

#include <algorithm>

#include "gemm.h"

namespace gatelm {

// Units are shared out in multiples of half a panel.
inline Range units_of(long hidden, int index, int size) { return share(hidden, index, size, isa().nr / 2); }

// A thread owns a range of units, with all four gates of them, so that one barrier a step is enough. Packed: thread after
// thread, gate after gate, the panels of Wh's columns of its units.
class RecurrentWeights {
 public:
  RecurrentWeights(const Gemm& gemm, const void* data, long hidden)
      : gemm_(gemm), data_(static_cast<const char*>(data)), hidden_(hidden) {
    for (int index = 0; index < team_size(); index++) {
      const Range units = units_of(hidden, index, team_size());
      const Panels panels = gemm.b_panels(nullptr, units.end - units.begin, hidden);
      gate_bytes_ = std::max(gate_bytes_, gemm.bytes(panels));
    }
  }

  long bytes() const { return 4 * gate_bytes_ * team_size(); }

  Panels gate(const Member& member, int gate) const {
    const Range units = units_of(hidden_, member.index, member.size);
    return gemm_.b_panels(data_ + (4 * member.index + gate) * gate_bytes_, units.end - units.begin, hidden_);
  }

  // Packs the member's part. @param wh [H, 4H]
  void pack(const float* wh, const Member& member) const {
    const Range units = units_of(hidden_, member.index, member.size);
    for (int g = 0; g < 4; g++) {
      const Panels panels = gate(member, g);
      const MatrixView columns = row_major(wh + g * hidden_ + units.begin, 4 * hidden_);
      for (long q = 0; q < panels.count; q++) gemm_.pack_b(panels, q, columns, units.end - units.begin, hidden_);
    }
  }

 private:
  const Gemm& gemm_;
  const char* data_;
  const long hidden_;
  long gate_bytes_ = 0;
};

}  // namespace gatelm
