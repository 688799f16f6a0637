// The LSTM against plain loops in double precision.
#include <algorithm>

#include "check.h"
#include "lstm.h"
#include "tests.h"

using namespace gatelm;

namespace gatelm_test {
namespace {

typedef std::vector<double> Doubles;

double sigmoid(double x) { return 1 / (1 + exp(-x)); }

struct Reference {
  Doubles hiddens, cells, gates;             // [T, N, H], [T, N, H], [T, N, 4H]
  Doubles dx, d_wx, d_wh, d_b, d_hidden0, d_cell0;
};

struct Inputs {
  LstmShape s;
  Floats x, hidden0, cell0, wx, wh, b, d_hiddens;

  explicit Inputs(const LstmShape& shape) : s(shape) {
    const long H = s.hidden;
    x = random_floats(s.time * s.batch * s.input, 1);
    hidden0 = random_floats(s.batch * H, 2);
    cell0 = random_floats(s.batch * H, 3);
    wx = random_floats(s.input * 4 * H, 4);
    wh = random_floats(H * 4 * H, 5);
    b = random_floats(4 * H, 6);
    d_hiddens = random_floats(s.time * s.batch * H, 7);
    for (float& w : wh) w *= 0.3f;
  }
};

void forward(const Inputs& in, Reference* out) {
  const long T = in.s.time, N = in.s.batch, D = in.s.input, H = in.s.hidden;
  out->hiddens.resize(T * N * H);
  out->cells.resize(T * N * H);
  out->gates.resize(T * N * 4 * H);
  for (long t = 0; t < T; t++) {
    for (long n = 0; n < N; n++) {
      Doubles z(in.b.begin(), in.b.end());
      for (long j = 0; j < 4 * H; j++) {
        for (long d = 0; d < D; d++) z[j] += static_cast<double>(in.x[(t * N + n) * D + d]) * in.wx[d * 4 * H + j];
        for (long h = 0; h < H; h++) {
          const double hidden = t ? out->hiddens[((t - 1) * N + n) * H + h] : in.hidden0[n * H + h];
          z[j] += hidden * in.wh[h * 4 * H + j];
        }
      }
      for (long h = 0; h < H; h++) {
        const long at = (t * N + n) * H + h;
        const double f = sigmoid(z[h]), g = tanh(z[H + h]), i = sigmoid(z[2 * H + h]), o = sigmoid(z[3 * H + h]);
        const double cell = t ? out->cells[at - N * H] : in.cell0[n * H + h];
        const double values[] = {f, g, i, o};
        for (int gate = 0; gate < 4; gate++) out->gates[(t * N + n) * 4 * H + gate * H + h] = values[gate];
        out->cells[at] = f * cell + g * i;
        out->hiddens[at] = o * tanh(out->cells[at]);
      }
    }
  }
}

void backward(const Inputs& in, Reference* r) {
  const long T = in.s.time, N = in.s.batch, D = in.s.input, H = in.s.hidden;
  r->dx.assign(T * N * D, 0);
  r->d_wx.assign(D * 4 * H, 0);
  r->d_wh.assign(H * 4 * H, 0);
  r->d_b.assign(4 * H, 0);
  r->d_hidden0.assign(N * H, 0);
  r->d_cell0.assign(N * H, 0);
  for (long t = T - 1; t >= 0; t--) {
    for (long n = 0; n < N; n++) {
      Doubles dz(4 * H);
      for (long h = 0; h < H; h++) {
        const long at = (t * N + n) * H + h;
        const double* gate = &r->gates[(t * N + n) * 4 * H + h];
        const double f = gate[0], g = gate[H], i = gate[2 * H], o = gate[3 * H], tanh_cell = tanh(r->cells[at]);
        const double cell = t ? r->cells[at - N * H] : in.cell0[n * H + h];
        const double dh = in.d_hiddens[at] + r->d_hidden0[n * H + h];
        const double dc = r->d_cell0[n * H + h] + dh * o * (1 - tanh_cell * tanh_cell);
        dz[h] = dc * cell * f * (1 - f);
        dz[H + h] = dc * i * (1 - g * g);
        dz[2 * H + h] = dc * g * i * (1 - i);
        dz[3 * H + h] = dh * tanh_cell * o * (1 - o);
        r->d_cell0[n * H + h] = dc * f;
      }
      for (long j = 0; j < 4 * H; j++) r->d_b[j] += dz[j];
      for (long d = 0; d < D; d++) {
        for (long j = 0; j < 4 * H; j++) {
          r->dx[(t * N + n) * D + d] += dz[j] * in.wx[d * 4 * H + j];
          r->d_wx[d * 4 * H + j] += dz[j] * in.x[(t * N + n) * D + d];
        }
      }
      for (long h = 0; h < H; h++) {
        const double hidden = t ? r->hiddens[((t - 1) * N + n) * H + h] : in.hidden0[n * H + h];
        double sum = 0;
        for (long j = 0; j < 4 * H; j++) {
          r->d_wh[h * 4 * H + j] += dz[j] * hidden;
          sum += dz[j] * in.wh[h * 4 * H + j];
        }
        r->d_hidden0[n * H + h] = sum;
      }
    }
  }
}

void check_lstm(const LstmShape& shape, bool bf16) {
  const long T = shape.time, N = shape.batch, D = shape.input, H = shape.hidden;
  const Inputs in(shape);
  Reference expected;
  forward(in, &expected);
  backward(in, &expected);

  const std::string name = std::string(bf16 ? "bf16" : "f32") + " LSTM T " + std::to_string(T) + " N " +
                           std::to_string(N) + " D " + std::to_string(D) + " H " + std::to_string(H) + " ";
  // bfloat16 keeps 8 bits: 2⁻⁸ an operand, less in sums.
  const double tolerance = bf16 ? 3e-2 : 1e-5;
  const long steps = T * N * H;
  Floats hiddens(steps), cells(steps), gates(4 * steps), hidden(N * H), cell(N * H);
  lstm_forward({shape, bf16, in.x.data(), in.hidden0.data(), in.cell0.data(), in.wx.data(), in.wh.data(), in.b.data(),
                hiddens.data(), cells.data(), gates.data(), hidden.data(), cell.data()});
  expect_close(hiddens, expected.hiddens, tolerance, name + "hiddens");
  expect_close(cells, expected.cells, tolerance, name + "cells");
  expect_close(gates, expected.gates, tolerance, name + "gates");
  expect(std::equal(hidden.begin(), hidden.end(), hiddens.end() - N * H), name + "the last hidden state");
  expect(std::equal(cell.begin(), cell.end(), cells.end() - N * H), name + "the last cell");

  Floats dx(T * N * D), d_wx(D * 4 * H), d_wh(H * 4 * H), d_b(4 * H), d_hidden0(N * H), d_cell0(N * H);
  lstm_backward({shape, bf16, in.d_hiddens.data(), in.x.data(), in.hidden0.data(), in.cell0.data(), in.wx.data(),
                 in.wh.data(), hiddens.data(), cells.data(), gates.data(), dx.data(), d_wx.data(), d_wh.data(),
                 d_b.data(), d_hidden0.data(), d_cell0.data()});
  expect_close(dx, expected.dx, tolerance, name + "dx");
  expect_close(d_wx, expected.d_wx, tolerance, name + "dWx");
  expect_close(d_wh, expected.d_wh, tolerance, name + "dWh");
  expect_close(d_b, expected.d_b, tolerance, name + "db");
  expect_close(d_hidden0, expected.d_hidden0, tolerance, name + "dHidden");
  expect_close(d_cell0, expected.d_cell0, tolerance, name + "dCell");

  Floats packed_wx(packed_wx_bytes(D, H, bf16) / 4), packed_wh(packed_wh_bytes(H, bf16) / 4), again(steps);
  pack_wx(in.wx.data(), D, H, bf16, packed_wx.data());
  pack_wh(in.wh.data(), H, bf16, packed_wh.data());
  lstm_forward({shape, bf16, in.x.data(), in.hidden0.data(), in.cell0.data(), nullptr, nullptr, in.b.data(),
                again.data(), nullptr, nullptr, hidden.data(), cell.data(), packed_wx.data(), packed_wh.data()});
  expect(again == hiddens && std::equal(cell.begin(), cell.end(), cells.end() - N * H),
         name + "packed: the same bits");
}

}  // namespace

void test_lstm() {
  const LstmShape shapes[] = {{1, 1, 1, 1},   {2, 1, 3, 5},   {3, 2, 1, 16},  {4, 3, 7, 17},
                              {5, 20, 10, 33}, {3, 15, 65, 48}, {7, 1, 31, 64}, {2, 29, 40, 100}};
  for (const LstmShape& shape : shapes) {
    for (bool bf16 : {false, true}) check_lstm(shape, bf16);
  }
}

}  // namespace gatelm_test
