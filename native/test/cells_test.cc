// The cells against plain loops in double precision; and their bits, which depend on nothing but the path.
#include <algorithm>

#include "cell_reference.h"
#include "digest.h"
#include "gru.h"
#include "mogrifier.h"
#include "tests.h"

using namespace gatelm;

namespace gatelm_test {
namespace {

// Of one run of a cell; the gradients in the order of the inputs, those of states left empty.
struct Run {
  Floats hiddens, packed_hiddens, gates, state;
  std::vector<Floats> gradients;
};

std::vector<Doubles> to_doubles(const std::vector<Floats>& inputs) {
  std::vector<Doubles> doubles;
  for (const Floats& input : inputs) doubles.emplace_back(input.begin(), input.end());
  return doubles;
}

Floats weights(long count, uint32_t seed) {
  Floats values = random_floats(count, seed);
  for (float& value : values) value *= 0.3f;
  return values;
}

struct Cell {
  std::string name;
  LstmShape shape;
  int rounds = -1;  // −1: a GRU; 0: an LSTM
  long rank = 0;
  long lines = 0;  // of x, which the steps share, where not 0

  // The line of x that a stream reads at a step.
  std::vector<int32_t> indices() const {
    std::vector<int32_t> all(lines ? shape.time * shape.batch : 0);
    for (size_t m = 0; m < all.size(); m++) all[m] = static_cast<int32_t>((m * m + m / 3) % lines);
    return all;
  }

  // Of shared lines: x [T, N, D].
  template <typename Values>
  Values spread(const Values& x) const {
    Values all;
    for (const int32_t line : indices()) all.insert(all.end(), x.begin() + line * shape.input, x.begin() + (line + 1) * shape.input);
    return all;
  }

  MogrifierShape mogrifier() const {
    MogrifierShape m{};
    static_cast<LstmShape&>(m) = shape;
    m.rounds = rounds;
    m.rank = rank;
    return m;
  }

  std::vector<Floats> inputs() const {
    const long N = shape.batch, D = shape.input, H = shape.hidden, gates = rounds < 0 ? 3 : 4;
    std::vector<Floats> all = {random_floats((lines ? lines : shape.time * N) * D, 1), random_floats(N * H, 2)};
    if (rounds >= 0) all.push_back(random_floats(N * H, 3));
    all.push_back(weights(D * gates * H, 4));
    all.push_back(weights(H * gates * H, 5));
    all.push_back(random_floats(4 * H, 6));
    for (int i = 0; i < rounds; i++) all.push_back(weights(mogrifier().source(i) * (rank ? rank : mogrifier().target(i)), 10 + i));
    for (int i = 0; i < rounds && rank; i++) all.push_back(weights(rank * mogrifier().target(i), 30 + i));
    return all;
  }

  Doubles reference(std::vector<Doubles> inputs) const {
    if (lines) inputs[0] = spread(inputs[0]);
    return rounds < 0 ? gru_reference(shape, inputs) : mogrifier_reference(shape, rounds, rank, inputs);
  }

  Run run(const std::vector<Floats>& in, const Floats& d_hiddens, bool bf16) const;

 private:
  void run_gru(const std::vector<Floats>& in, const Floats& d_hiddens, bool bf16, Run* made) const;
  void run_lstm(const std::vector<Floats>& in, const Floats& d_hiddens, bool bf16, Run* made) const;
  void run_mogrifier(const std::vector<Floats>& in, const Floats& d_hiddens, bool bf16, Run* made) const;
};

Run Cell::run(const std::vector<Floats>& in, const Floats& d_hiddens, bool bf16) const {
  const long steps = shape.time * shape.batch * shape.hidden;
  Run made;
  made.hiddens.resize(steps);
  made.packed_hiddens.resize(steps);
  made.gates.resize(4 * steps);
  made.state.resize(shape.batch * shape.hidden);
  for (const Floats& input : in) made.gradients.emplace_back(input.size());
  if (rounds < 0) {
    run_gru(in, d_hiddens, bf16, &made);
  } else if (rounds == 0) {
    run_lstm(in, d_hiddens, bf16, &made);
  } else {
    run_mogrifier(in, d_hiddens, bf16, &made);
  }
  return made;
}

void Cell::run_gru(const std::vector<Floats>& in, const Floats& d_hiddens, bool bf16, Run* made) const {
  const std::vector<int32_t> at = indices();
  const CellSource x(in[0].data(), lines ? at.data() : nullptr, lines);
  Floats packed(packed_gru_bytes(shape.input, shape.hidden, bf16) / 4);
  pack_gru(in[2].data(), in[3].data(), shape.input, shape.hidden, bf16, packed.data());
  gru_forward({shape, bf16, x, in[1].data(), nullptr, nullptr, in[4].data(), made->packed_hiddens.data(), nullptr,
               made->state.data(), packed.data()});
  gru_forward({shape, bf16, x, in[1].data(), in[2].data(), in[3].data(), in[4].data(), made->hiddens.data(),
               made->gates.data(), made->state.data()});
  std::vector<Floats>& d = made->gradients;
  gru_backward({shape, bf16, d_hiddens.data(), x, in[1].data(), in[2].data(), in[3].data(), made->hiddens.data(),
                made->gates.data(), d[0].data(), d[2].data(), d[3].data(), d[4].data(), d[1].data()});
}

void Cell::run_lstm(const std::vector<Floats>& in, const Floats& d_hiddens, bool bf16, Run* made) const {
  const std::vector<int32_t> at = indices();
  const CellSource x(in[0].data(), lines ? at.data() : nullptr, lines);
  Floats cells(made->hiddens.size()), cell(made->state.size());
  Floats wx(packed_wx_bytes(shape.input, shape.hidden, bf16) / 4), wh(packed_wh_bytes(shape.hidden, bf16) / 4);
  pack_wx(in[3].data(), shape.input, shape.hidden, bf16, wx.data());
  pack_wh(in[4].data(), shape.hidden, bf16, wh.data());
  lstm_forward({shape, bf16, x, in[1].data(), in[2].data(), nullptr, nullptr, in[5].data(),
                made->packed_hiddens.data(), nullptr, nullptr, made->state.data(), cell.data(), wx.data(), wh.data()});
  lstm_forward({shape, bf16, x, in[1].data(), in[2].data(), in[3].data(), in[4].data(), in[5].data(),
                made->hiddens.data(), cells.data(), made->gates.data(), made->state.data(), cell.data()});
  std::vector<Floats>& d = made->gradients;
  lstm_backward({shape, bf16, d_hiddens.data(), x, in[1].data(), in[2].data(), in[3].data(), in[4].data(),
                 made->hiddens.data(), cells.data(), made->gates.data(), d[0].data(), d[3].data(), d[4].data(), d[5].data(),
                 d[1].data(), d[2].data()});
}

void Cell::run_mogrifier(const std::vector<Floats>& in, const Floats& d_hiddens, bool bf16, Run* made) const {
  const MogrifierShape m = mogrifier();
  Floats cells(made->hiddens.size()), cell(made->state.size());
  std::vector<Floats>& d = made->gradients;
  std::vector<Floats> round_gates;
  for (int i = 0; i < rounds; i++) round_gates.emplace_back(m.time * m.batch * m.target(i));
  MogrifierForward job{m,  bf16, in[0].data(), in[1].data(), in[2].data(), in[3].data(), in[4].data(), in[5].data(),
                       {}, {},   made->hiddens.data(), cells.data(), made->gates.data(), {}, made->state.data(), cell.data()};
  MogrifierBackward back{m, bf16, d_hiddens.data(), in[0].data(), in[1].data(), in[2].data(), in[3].data(), in[4].data(),
                         made->hiddens.data(), cells.data(), made->gates.data(), {}, {}, {}, d[0].data(), d[3].data(),
                         d[4].data(), d[5].data(), {}, {}};
  for (int i = 0; i < rounds; i++) {
    job.matrices.push_back(in[6 + i].data());
    job.round_gates.push_back(round_gates[i].data());
    back.round_gates.push_back(round_gates[i].data());
    back.d_matrices.push_back(d[6 + i].data());
    if (rank == 0) continue;
    job.ups.push_back(in[6 + rounds + i].data());
    back.d_ups.push_back(d[6 + rounds + i].data());
  }
  back.matrices = job.matrices;
  back.ups = job.ups;
  Floats packed(packed_mogrifier_bytes(m, bf16) / 4);
  pack_mogrifier(job, packed.data());
  mogrifier_forward({m, bf16, in[0].data(), in[1].data(), in[2].data(), nullptr, nullptr, in[5].data(), {}, {},
                     made->packed_hiddens.data(), nullptr, nullptr, {}, made->state.data(), cell.data(), packed.data()});
  mogrifier_forward(job);
  mogrifier_backward(back);
  d[1].clear();
  d[2].clear();
}

// The cells of one shape.
std::vector<Cell> cells_of(const LstmShape& shape) {
  const long lines = 1 + shape.time * shape.batch / 3;
  return {{"LSTM", shape, 0}, {"GRU", shape}, {"LSTM of shared lines", shape, 0, 0, lines}, {"GRU of shared lines", shape, -1, 0, lines},
          {"Mogrifier of 1 round", shape, 1}, {"Mogrifier of 4 rounds", shape, 4},
          {"Mogrifier of 3 rounds, rank 5", shape, 3, 5}, {"Mogrifier of 2 rounds, rank 90", shape, 2, 90}};
}

void check_cell(const Cell& cell, bool bf16) {
  const LstmShape& s = cell.shape;
  const std::string name = std::string(bf16 ? "bf16 " : "f32 ") + cell.name + ", T " + std::to_string(s.time) + " N " +
                           std::to_string(s.batch) + " D " + std::to_string(s.input) + " H " + std::to_string(s.hidden) + ": ";
  // bfloat16 keeps 8 bits: 2⁻⁸ an operand, less in sums.
  const double tolerance = bf16 ? 3e-2 : 2e-5;
  const std::vector<Floats> inputs = cell.inputs();
  const Floats d_hiddens = random_floats(s.time * s.batch * s.hidden, 7);
  const Run run = cell.run(inputs, d_hiddens, bf16);
  const std::vector<Doubles> exact = to_doubles(inputs);
  expect_close(run.hiddens, cell.reference(exact), tolerance, name + "hiddens");
  expect(run.packed_hiddens == run.hiddens, name + "packed: the same bits");
  if (cell.lines) {
    Cell apart = cell;
    apart.lines = 0;
    std::vector<Floats> spread = inputs;
    spread[0] = cell.spread(inputs[0]);
    const Run same = apart.run(spread, d_hiddens, bf16);
    expect(run.hiddens == same.hiddens && run.gates == same.gates, name + "the bits of lines that are not shared");
  }
  expect(std::equal(run.state.begin(), run.state.end(), run.hiddens.end() - run.state.size()), name + "the last hidden state");
  check_gradients([&](const std::vector<Doubles>& moved) { return cell.reference(moved); }, exact, d_hiddens, run.gradients,
                  tolerance, name);
}

// A stream alone has the bits that it has beside others.
void check_stream_alone(const Cell& all, bool bf16) {
  const LstmShape& s = all.shape;
  const std::vector<Floats> inputs = all.inputs();
  const Floats d_hiddens = random_floats(s.time * s.batch * s.hidden, 7);
  const Run together = all.run(inputs, d_hiddens, bf16);
  Cell one = all;
  one.shape.batch = 1;
  for (const long stream : {0L, s.batch - 1}) {
    const auto lines = [&](const Floats& values, long width) {
      Floats picked;
      for (size_t at = stream * width; at < values.size(); at += s.batch * width) {
        picked.insert(picked.end(), values.begin() + at, values.begin() + at + width);
      }
      return picked;
    };
    std::vector<Floats> own = inputs;
    own[0] = lines(inputs[0], s.input);
    own[1] = lines(inputs[1], s.hidden);
    if (all.rounds >= 0) own[2] = lines(inputs[2], s.hidden);
    const Run alone = one.run(own, lines(d_hiddens, s.hidden), bf16);
    expect(alone.hiddens == lines(together.hiddens, s.hidden) && alone.gradients[0] == lines(together.gradients[0], s.input),
           std::string(bf16 ? "bf16 " : "f32 ") + all.name + ", stream " + std::to_string(stream) + " alone has other bits");
  }
}

}  // namespace

void test_cells() {
  // By streams and by units, on one, two and three threads.
  for (const LstmShape& shape : {LstmShape{1, 1, 1, 1}, {2, 1, 3, 5}, {4, 3, 7, 17}, {5, 26, 10, 33}, {2, 35, 40, 70}}) {
    for (const Cell& cell : cells_of(shape)) {
      for (const bool bf16 : {false, true}) check_cell(cell, bf16);
    }
  }
  for (const LstmShape& shape : {LstmShape{5, 45, 20, 37}, {2, 7, 33, 40}}) {
    for (const Cell& cell : cells_of(shape)) {
      for (const bool bf16 : {false, true}) if (!cell.lines) check_stream_alone(cell, bf16);
    }
  }
}

uint64_t digest_of_cells() {
  Digest digest;
  for (const bool bf16 : {false, true}) {
    for (const LstmShape& shape : {LstmShape{1, 1, 1, 1}, {3, 2, 1, 16}, {5, 20, 10, 33}, {6, 33, 70, 100}}) {
      for (const Cell& cell : cells_of(shape)) {
        const Run run = cell.run(cell.inputs(), random_floats(shape.time * shape.batch * shape.hidden, 7), bf16);
        for (const Floats* made : {&run.hiddens, &run.gates, &run.state}) digest.add(*made);
        for (const Floats& gradient : run.gradients) digest.add(gradient);
      }
    }
  }
  return digest.value;
}

}  // namespace gatelm_test
