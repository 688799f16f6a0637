#include <string.h>

#include "gate_weights.h"
#include "gemm.h"
#include "memory_plan.h"
#include "mogrifier.h"

namespace gatelm {
namespace {

constexpr GateLayout kGates{4, 4, {0, 1, 2, 3}};

// All weights packed, one after another.
class MogrifierWeights {
 public:
  MogrifierWeights(const Gemm& gemm, const MogrifierShape& shape, const CellSplit& split, const void* data)
      : data_(static_cast<const char*>(data)) {
    wx_ = add(gemm, split, shape.input, kGates);
    wh_ = add(gemm, split, shape.hidden, kGates);
    for (int i = 0; i < shape.rounds; i++) {
      matrices_.push_back(add(gemm, split.with_units(shape.rank ? shape.rank : shape.target(i)), shape.source(i), kOneGate));
      if (shape.rank) ups_.push_back(add(gemm, split.with_units(shape.target(i)), shape.rank, kOneGate));
    }
  }

  long bytes() const { return bytes_; }
  const GateWeights& wx() const { return all_[wx_]; }
  const GateWeights& wh() const { return all_[wh_]; }
  const GateWeights& matrix(int round) const { return all_[matrices_[round]]; }
  const GateWeights& up(int round) const { return all_[ups_[round]]; }

  void pack(const MogrifierForward& job, const Member& member) const {
    wx().pack(job.wx, member);
    wh().pack(job.wh, member);
    for (size_t i = 0; i < matrices_.size(); i++) matrix(i).pack(job.matrices[i], member);
    for (size_t i = 0; i < ups_.size(); i++) up(i).pack(job.ups[i], member);
  }

 private:
  size_t add(const Gemm& gemm, const CellSplit& split, long depth, const GateLayout& layout) {
    all_.emplace_back(gemm, split, data_ ? data_ + bytes_ : nullptr, depth, layout);
    bytes_ += all_.back().bytes();
    return all_.size() - 1;
  }

  const char* data_;
  long bytes_ = 0;
  std::vector<GateWeights> all_;
  size_t wx_, wh_;
  std::vector<size_t> matrices_, ups_;
};

long step_bytes(const Gemm& gemm, const MogrifierShape& shape) {
  return MogrifierWeights(gemm, shape, CellSplit(gemm, 1, 1, shape.hidden, 0), nullptr).bytes();
}

// What the steps of a run work on. x and the hidden states are packed as often as they change; the hidden states by turns,
// as another may still read those of the step before.
struct StepBuffers {
  float *x, *hidden, *low;
  float* sums[2];  // of the rounds that change x, and of those that change the hidden states
  char *packed_x, *packed_hidden[2], *packed_low;

  StepBuffers(const MogrifierShape& shape, MemoryPlan& memory, const StepPanels& x_panels, const StepPanels& hidden_panels,
              const StepPanels& low_panels) {
    x = memory.floats(shape.batch * shape.input);
    hidden = memory.floats(shape.batch * shape.hidden);
    for (int parity = 0; parity < 2; parity++) sums[parity] = memory.floats(shape.batch * shape.target(parity));
    low = memory.floats(shape.batch * shape.rank);
    packed_x = memory.bytes(x_panels.bytes());
    for (char*& packed : packed_hidden) packed = memory.bytes(hidden_panels.bytes());
    packed_low = memory.bytes(low_panels.bytes());
  }
};

}  // namespace

long packed_mogrifier_bytes(const MogrifierShape& shape, bool bf16) { return step_bytes(Gemm(bf16), shape); }

void pack_mogrifier(const MogrifierForward& job, void* out) {
  const Gemm gemm(job.bf16);
  const MogrifierWeights weights(gemm, job.shape, CellSplit(gemm, 1, 1, job.shape.hidden, 0), out);
  run_team([&](const Member& member) { weights.pack(job, member); });
}

// A thread packs what it made as soon as it has it. By units, the others wait for that before each product that reads it.
void mogrifier_forward(const MogrifierForward& job) {
  const MogrifierShape& shape = job.shape;
  const long T = shape.time, N = shape.batch, D = shape.input, H = shape.hidden, width = 4 * H, states = N * H;
  const TeamTurn turn;
  const Gemm gemm(job.bf16);
  const long weight_bytes = step_bytes(gemm, shape);
  const CellSplit split(gemm, T, N, H, weight_bytes);
  const CellSplit inputs = split.with_units(D), ranks = split.with_units(shape.rank);
  const void* data = job.packed ? job.packed : Workspace::bytes(Workspace::kPackedWeights, weight_bytes);
  const MogrifierWeights weights(gemm, shape, split, data);
  float* gates = job.gates ? job.gates : Workspace::floats(Workspace::kRows, N * width);
  float* cells = job.cells ? job.cells : Workspace::floats(Workspace::kSums, T * states);
  const StepPanels x_panels(gemm, split, D), hidden_panels(gemm, split, H), low_panels(gemm, split, shape.rank);
  MemoryPlan memory;
  StepBuffers(shape, memory, x_panels, hidden_panels, low_panels);
  memory.begin(Workspace::bytes(Workspace::kStepA, memory.used()));
  const StepBuffers step(shape, memory, x_panels, hidden_panels, low_panels);

  run_team([&](const Member& member) {
    if (!job.packed) weights.pack(job, member);
    hidden_panels.pack(step.packed_hidden[0], job.hidden0, split, member);
    member.barrier.wait();

    const Range streams = split.streams(member), units = split.units(member);
    const long count = units.end - units.begin, here = streams.end - streams.begin;
    for (long t = 0; t < T; t++) {
      const float *x = job.x + t * N * D, *hidden = t == 0 ? job.hidden0 : job.hiddens + (t - 1) * states;
      char* packed_hidden = step.packed_hidden[t % 2];
      for (int i = 0; i < shape.rounds; i++) {
        const bool is_input = MogrifierShape::changes_input(i);
        const CellSplit& targets = is_input ? inputs : split;
        const long target = shape.target(i);
        Panels source = is_input ? hidden_panels.at(packed_hidden, member) : x_panels.at(step.packed_x, member);
        const GateWeights* matrix = &weights.matrix(i);
        if (shape.rank) {
          matrix->multiply(source, here, step.low + streams.begin * shape.rank, false, nullptr, member);
          low_panels.pack(step.packed_low, step.low, ranks, member);
          split.next_step(member);
          source = low_panels.at(step.packed_low, member);
          matrix = &weights.up(i);
        }
        float* gate = job.round_gates.empty() ? step.sums[i % 2] : job.round_gates[i] + t * N * target;
        matrix->multiply(source, here, gate + streams.begin * target, false, nullptr, member);
        const Range columns = targets.units(member);
        const float*& value = is_input ? x : hidden;
        float* changed = is_input ? step.x : step.hidden;
        for (long n = streams.begin; n < streams.end && columns.begin < columns.end; n++) {
          const long at = n * target + columns.begin;
          isa().modulate_by_sum(columns.end - columns.begin, gate + at, value + at, changed + at);
        }
        value = changed;
        if (is_input) {
          x_panels.pack(step.packed_x, changed, inputs, member);
        } else {
          hidden_panels.pack(packed_hidden, changed, split, member);
        }
        split.next_step(member);
      }

      float* z = gates + (job.gates ? t * N * width : 0);
      weights.wx().multiply(x_panels.at(step.packed_x, member), here, z + streams.begin * width, false, job.b, member);
      weights.wh().multiply(hidden_panels.at(packed_hidden, member), here, z + streams.begin * width, true, nullptr, member);
      const float* cell = t == 0 ? job.cell0 : cells + (t - 1) * states;
      for (long n = streams.begin; n < streams.end && count > 0; n++) {
        const long at = n * H + units.begin;
        isa().gates_forward(count, z + n * width + units.begin, H, cell + at, cells + t * states + at,
                            job.hiddens + t * states + at);
      }
      if (t + 1 < T) hidden_panels.pack(step.packed_hidden[(t + 1) % 2], job.hiddens + t * states, split, member);
      split.next_step(member);
    }
    member.barrier.wait();
    if (member.index == 0) {
      memcpy(job.last_hidden, T ? job.hiddens + (T - 1) * states : job.hidden0, sizeof(float) * states);
      memcpy(job.last_cell, T ? cells + (T - 1) * states : job.cell0, sizeof(float) * states);
    }
  });
}

}  // namespace gatelm
