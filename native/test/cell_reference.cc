#include "cell_reference.h"

#include <algorithm>

using namespace gatelm;

namespace gatelm_test {
namespace {

double sigmoid(double x) { return 1 / (1 + exp(-x)); }

// a [rows, depth] · b [depth, columns]
Doubles product(const double* a, const Doubles& b, long rows, long depth, long columns) {
  Doubles c(rows * columns, 0.0);
  for (long i = 0; i < rows; i++) {
    for (long k = 0; k < depth; k++) {
      for (long j = 0; j < columns; j++) c[i * columns + j] += a[i * depth + k] * b[k * columns + j];
    }
  }
  return c;
}

// A step of an LSTM in place.
void lstm_step(const LstmShape& s, const double* x, Doubles* hidden, Doubles* cell, const std::vector<Doubles>& inputs) {
  const long N = s.batch, H = s.hidden;
  const Doubles from_x = product(x, inputs[3], N, s.input, 4 * H), from_h = product(hidden->data(), inputs[4], N, H, 4 * H);
  const Doubles& b = inputs[5];
  for (long n = 0; n < N; n++) {
    for (long h = 0; h < H; h++) {
      const auto sum = [&](int g) { return from_x[n * 4 * H + g * H + h] + from_h[n * 4 * H + g * H + h] + b[g * H + h]; };
      double& c = (*cell)[n * H + h];
      c = sigmoid(sum(0)) * c + tanh(sum(1)) * sigmoid(sum(2));
      (*hidden)[n * H + h] = sigmoid(sum(3)) * tanh(c);
    }
  }
}

}  // namespace

Doubles gru_reference(const LstmShape& s, const std::vector<Doubles>& inputs) {
  const long N = s.batch, H = s.hidden;
  Doubles hidden = inputs[1], hiddens;
  const Doubles& b = inputs[4];
  for (long t = 0; t < s.time; t++) {
    const Doubles a = product(&inputs[0][t * N * s.input], inputs[2], N, s.input, 3 * H);
    const Doubles c = product(hidden.data(), inputs[3], N, H, 3 * H);
    for (long n = 0; n < N; n++) {
      for (long h = 0; h < H; h++) {
        const long at = n * 3 * H + h;
        const double r = sigmoid(a[at] + b[h] + c[at]), z = sigmoid(a[at + H] + b[H + h] + c[at + H]);
        const double candidate = tanh(a[at + 2 * H] + b[2 * H + h] + r * (c[at + 2 * H] + b[3 * H + h]));
        double& state = hidden[n * H + h];
        state = (1 - z) * candidate + z * state;
      }
    }
    hiddens.insert(hiddens.end(), hidden.begin(), hidden.end());
  }
  return hiddens;
}

Doubles mogrifier_reference(const LstmShape& s, int rounds, long rank, const std::vector<Doubles>& inputs) {
  const long N = s.batch, D = s.input, H = s.hidden;
  Doubles hidden = inputs[1], cell = inputs[2], hiddens;
  for (long t = 0; t < s.time; t++) {
    Doubles x(inputs[0].begin() + t * N * D, inputs[0].begin() + (t + 1) * N * D);
    for (int i = 0; i < rounds; i++) {
      Doubles &source = i % 2 == 0 ? hidden : x, &target = i % 2 == 0 ? x : hidden;
      const long from = i % 2 == 0 ? H : D, to = i % 2 == 0 ? D : H;
      const Doubles low = product(source.data(), inputs[6 + i], N, from, rank ? rank : to);
      const Doubles sum = rank ? product(low.data(), inputs[6 + rounds + i], N, rank, to) : low;
      for (long j = 0; j < N * to; j++) target[j] *= 2 * sigmoid(sum[j]);
    }
    lstm_step(s, x.data(), &hidden, &cell, inputs);
    hiddens.insert(hiddens.end(), hidden.begin(), hidden.end());
  }
  return hiddens;
}

Doubles lstm_reference(const LstmShape& s, const std::vector<Doubles>& inputs) { return mogrifier_reference(s, 0, 0, inputs); }

void check_gradients(const CellForward& forward, const std::vector<Doubles>& inputs, const Floats& d_hiddens,
                     const std::vector<Floats>& gradients, double tolerance, const std::string& name) {
  constexpr double kStep = 1e-5;
  constexpr size_t kSmall = 40;
  constexpr int kDirections = 3;
  std::vector<Doubles> moved = inputs;
  const auto slope = [&](size_t which, const Doubles& direction) {
    double difference = 0;
    for (const double sign : {1.0, -1.0}) {
      for (size_t i = 0; i < direction.size(); i++) moved[which][i] = inputs[which][i] + sign * kStep * direction[i];
      const Doubles hiddens = forward(moved);
      for (size_t i = 0; i < hiddens.size(); i++) difference += sign * hiddens[i] * d_hiddens[i];
    }
    moved[which] = inputs[which];
    return difference / (2 * kStep);
  };
  for (size_t which = 0; which < gradients.size(); which++) {
    const Floats& gradient = gradients[which];
    const size_t size = gradient.size();
    Doubles expected;
    Floats actual;
    double scale = 1e-3;
    if (size <= kSmall) {
      actual = gradient;
      for (size_t i = 0; i < size; i++) {
        Doubles direction(size, 0.0);
        direction[i] = 1;
        expected.push_back(slope(which, direction));
      }
    } else {
      double squares = 0;
      for (const float value : gradient) squares += static_cast<double>(value) * value;
      scale = sqrt(squares);
      for (int d = 0; d < kDirections; d++) {
        const Floats drawn = random_floats(size, 100 + d);
        const Doubles direction(drawn.begin(), drawn.end());
        double sum = 0;
        for (size_t i = 0; i < size; i++) sum += direction[i] * gradient[i];
        actual.push_back(static_cast<float>(sum));
        expected.push_back(slope(which, direction));
      }
    }
    expect_close(actual, expected, tolerance, name + "gradient of input " + std::to_string(which), scale);
  }
}

}  // namespace gatelm_test
