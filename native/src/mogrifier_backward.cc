#include <string.h>

#include <algorithm>

#include "gate_weights.h"
#include "gemm.h"
#include "memory_plan.h"
#include "mogrifier.h"
#include "time_sums.h"

namespace gatelm {
namespace {

constexpr GateLayout kGates{4, 4, {0, 1, 2, 3}};

// The transposed weights of a round, packed, and the gradients of its sums, of all steps and of one.
struct Round {
  TransposedGateWeights first;   // of dSums: [target, K], or [target, source] where the matrix is whole
  TransposedGateWeights second;  // of dLow: [K, source]; unused where the matrix is whole
  char *packed_first = nullptr, *packed_second = nullptr;
  float *d_sums = nullptr, *d_low = nullptr;          // [T, N, target], [T, N, K]
  const float *source = nullptr, *value = nullptr;    // [T, N, source], [T, N, target]: before the round
  float* changed = nullptr;                           // [T, N, target]: after it
};

}  // namespace

// Step by step from the last: dSums of the LSTM from the gates, dX and dHidden of them, then the rounds from the last to
// the first. The gradients of the weights are products after the loop. What the rounds made of x and of the hidden states is
// made once more from their gates, for all steps.
class MogrifierGradient {
 public:
  explicit MogrifierGradient(const MogrifierBackward& job)
      : job_(job),
        shape_(job.shape),
        gemm_(job.bf16),
        split_(gemm_, shape_.time, shape_.batch, shape_.hidden,
               packed_b_bytes(gemm_, 4 * shape_.hidden, shape_.hidden + shape_.input)),
        inputs_(split_.with_units(shape_.input)),
        ranks_(split_.with_units(shape_.rank)),
        wx_(gemm_, inputs_, split_, kGates),
        wh_(gemm_, split_, split_, kGates),
        z_panels_(gemm_, split_, wx_.depth()) {
    for (int i = 0; i < shape_.rounds; i++) {
      const CellSplit& targets = MogrifierShape::changes_input(i) ? inputs_ : split_;
      const CellSplit& sources = MogrifierShape::changes_input(i) ? split_ : inputs_;
      rounds_.push_back({{gemm_, shape_.rank ? ranks_ : sources, targets, kOneGate}, {gemm_, sources, ranks_, kOneGate}});
    }
    for (const bool measure : {true, false}) {
      if (!measure) {
        packed_memory_.begin(Workspace::bytes(Workspace::kPackedWeights, std::max(packed_memory_.used(), z_bytes())));
        value_memory_.begin(Workspace::bytes(Workspace::kRounds, value_memory_.used()));
        step_memory_.begin(Workspace::bytes(Workspace::kStepA, step_memory_.used()));
      }
      allocate();
    }
    dz_ = Workspace::floats(Workspace::kRows, lines() * std::max(4 * shape_.hidden, shape_.rank));
  }

  void run(const Member& member) {
    prepare(member);
    member.barrier.wait();
    for (long t = shape_.time - 1; t >= 0; t--) step(t, member);
    member.barrier.wait();  // all are done with the packed weights
    weight_gradients(member);
  }

 private:
  long lines() const { return shape_.time * shape_.batch; }

  long z_bytes() const { return packed_b_bytes(gemm_, 4 * shape_.hidden, lines()); }

  void allocate() {
    const long M = lines(), states = shape_.batch * shape_.hidden;
    packed_ = packed_memory_.bytes(0);
    packed_wx_ = packed_memory_.bytes(wx_.bytes());
    packed_wh_ = packed_memory_.bytes(wh_.bytes());
    before_ = value_memory_.floats(M * shape_.hidden);
    d_hidden_ = value_memory_.floats(states);
    d_cell_ = value_memory_.floats(states);
    x_ = job_.x;
    hidden_ = before_;
    for (int i = 0; i < shape_.rounds; i++) {
      Round& round = rounds_[i];
      const bool is_input = MogrifierShape::changes_input(i);
      round.packed_first = packed_memory_.bytes(round.first.bytes());
      if (shape_.rank) round.packed_second = packed_memory_.bytes(round.second.bytes());
      round.d_sums = value_memory_.floats(M * shape_.target(i));
      round.d_low = value_memory_.floats(M * shape_.rank);
      round.changed = value_memory_.floats(M * shape_.target(i));
      round.source = is_input ? hidden_ : x_;
      round.value = is_input ? x_ : hidden_;
      (is_input ? x_ : hidden_) = round.changed;
    }
    packed_z_ = step_memory_.bytes(z_panels_.bytes());
    for (int parity = 0; parity < 2; parity++) packed_sums_[parity] = step_memory_.bytes(sums_panels(parity).bytes());
    packed_low_ = step_memory_.bytes(low_panels().bytes());
  }

  // The packed dSums of a step in the rounds that change x, 0, or the hidden state, 1.
  StepPanels sums_panels(int parity) const { return {gemm_, split_, shape_.target(parity)}; }
  StepPanels low_panels() const { return {gemm_, split_, shape_.rank}; }

  void prepare(const Member& member) {
    const long N = shape_.batch, H = shape_.hidden;
    wx_.pack(job_.wx, packed_wx_, member);
    wh_.pack(job_.wh, packed_wh_, member);
    for (int i = 0; i < shape_.rounds; i++) {
      const Round& round = rounds_[i];
      round.first.pack(shape_.rank ? job_.ups[i] : job_.matrices[i], round.packed_first, member);
      if (shape_.rank) round.second.pack(job_.matrices[i], round.packed_second, member);
    }
    const Range states = share(N * H, member);
    memset(d_hidden_ + states.begin, 0, sizeof(float) * (states.end - states.begin));
    memset(d_cell_ + states.begin, 0, sizeof(float) * (states.end - states.begin));
    shift_states(job_.hidden0, job_.hiddens, shape_.time, N * H, before_, member);
    const Range steps = share(shape_.time, member);
    for (int i = 0; i < shape_.rounds; i++) {
      const long width = N * shape_.target(i), at = steps.begin * width;
      isa().modulate((steps.end - steps.begin) * width, job_.round_gates[i] + at, rounds_[i].value + at, rounds_[i].changed + at);
    }
  }

  void step(long t, const Member& member) const {
    const long N = shape_.batch, H = shape_.hidden, D = shape_.input, width = 4 * H, states = N * H;
    const Range streams = split_.streams(member), units = split_.units(member);
    const long first = units.begin, count = units.end - units.begin, here = streams.end - streams.begin;
    const float* previous_cell = t == 0 ? job_.cell0 : job_.cells + (t - 1) * states;
    for (long n = streams.begin; n < streams.end && count > 0; n++) {
      const long at = n * H + first, gate = (t * N + n) * width + first;
      isa().add(count, job_.d_hiddens + t * states + at, d_hidden_ + at);
      isa().gates_backward(count, job_.gates + gate, H, job_.cells + t * states + at, previous_cell + at, d_hidden_ + at,
                           d_cell_ + at, dz_ + gate);
    }
    const Panels z = z_panels_.at(packed_z_, member);
    wx_.pack_gradient(dz_ + (t * N + streams.begin) * width, here, z, member);
    split_.next_step(member);
    float *dx = job_.dx + (t * N + streams.begin) * D, *d_hidden = d_hidden_ + streams.begin * H;
    wx_.multiply(packed_wx_, z, here, dx, false, member);
    wh_.multiply(packed_wh_, z, here, d_hidden, false, member);
    for (int i = shape_.rounds - 1; i >= 0; i--) {
      const bool is_input = MogrifierShape::changes_input(i);
      step_round(i, t, is_input ? dx : d_hidden, is_input ? d_hidden : dx, member);
    }
  }

  // @param d_value that of what the round changed; becomes that of what was before @param d_source grows
  void step_round(int i, long t, float* d_value, float* d_source, const Member& member) const {
    const Round& round = rounds_[i];
    const CellSplit& targets = MogrifierShape::changes_input(i) ? inputs_ : split_;
    const Range streams = split_.streams(member), columns = targets.units(member);
    const long target = shape_.target(i), here = streams.end - streams.begin, line = t * shape_.batch + streams.begin;
    for (long n = 0; n < here && columns.begin < columns.end; n++) {
      const long at = (line + n) * target + columns.begin;
      isa().modulate_backward(columns.end - columns.begin, job_.round_gates[i] + at, round.value + at,
                              d_value + n * target + columns.begin, round.d_sums + at);
    }
    const Panels sums = sums_panels(i % 2).at(packed_sums_[i % 2], member);
    round.first.pack_gradient(round.d_sums + line * target, here, sums, member);
    split_.next_step(member);
    if (!shape_.rank) return round.first.multiply(round.packed_first, sums, here, d_source, true, member);
    float* d_low = round.d_low + line * shape_.rank;
    round.first.multiply(round.packed_first, sums, here, d_low, false, member);
    const Panels low = low_panels().at(packed_low_, member);
    round.second.pack_gradient(d_low, here, low, member);
    split_.next_step(member);
    round.second.multiply(round.packed_second, low, here, d_source, true, member);
  }

  void weight_gradients(const Member& member) const {
    const long M = lines(), D = shape_.input, H = shape_.hidden, width = 4 * H, K = shape_.rank;
    const MatrixView z = row_major(dz_, width);
    pack_and_sum(gemm_, {dz_, M, width, width, packed_, job_.d_b, nullptr, 0, nullptr}, member);
    multiply(gemm_, {D, width, M, transposed(x_, D), z, job_.d_wx, width, false, packed_}, member);
    multiply(gemm_, {H, width, M, transposed(hidden_, H), z, job_.d_wh, width, false, packed_}, member);
    for (int i = 0; i < shape_.rounds; i++) {
      const Round& round = rounds_[i];
      const long source = shape_.source(i), target = shape_.target(i);
      const MatrixView by_source = transposed(round.source, source), d_sums = row_major(round.d_sums, target);
      if (!K) {
        multiply(gemm_, {source, target, M, by_source, d_sums, job_.d_matrices[i], target}, member);
        continue;
      }
      // dz is not read any more: its memory has source · down.
      multiply(gemm_, {M, K, source, row_major(round.source, source), row_major(job_.matrices[i], K), dz_, K}, member);
      multiply(gemm_, {K, target, M, transposed(dz_, K), d_sums, job_.d_ups[i], target}, member);
      multiply(gemm_, {source, K, M, by_source, row_major(round.d_low, K), job_.d_matrices[i], K}, member);
    }
  }

  const MogrifierBackward& job_;
  const MogrifierShape& shape_;
  const Gemm gemm_;
  const CellSplit split_, inputs_, ranks_;
  const TransposedGateWeights wx_, wh_;
  const StepPanels z_panels_;
  std::vector<Round> rounds_;
  MemoryPlan packed_memory_, value_memory_, step_memory_;
  char *packed_, *packed_wx_, *packed_wh_, *packed_z_, *packed_sums_[2], *packed_low_;
  float *dz_, *before_, *d_hidden_, *d_cell_;
  const float *x_, *hidden_;  // after all rounds, of all steps
};

void mogrifier_backward(const MogrifierBackward& job) {
  const TeamTurn turn;
  MogrifierGradient gradient(job);
  run_team([&](const Member& member) { gradient.run(member); });
}

}  // namespace gatelm
