// T steps of an LSTM, forward and backward. Shapes as in src/layers/time-lstm.ts: x [T, N, D], states [N, H],
// Wx [D, 4H], Wh [H, 4H], b [4H], gates in the order f, g, i, o.
#pragma once

#include <stdint.h>

namespace gatelm {

struct LstmShape {
  long time;
  long batch;
  long input;
  long hidden;
};

// The input of a run: x [T, N, D]. Or, where many steps read the same, x [rows, D] with each line once, and
// indices [T, N]: the one that a stream reads at a step. What depends on x alone is then made once for each line.
struct CellSource {
  const float* x;
  const int32_t* indices;
  long rows;  // of x, with indices

  CellSource(const float* x = nullptr, const int32_t* indices = nullptr, long rows = 0) : x(x), indices(indices), rows(rows) {}

  long lines(const LstmShape& shape) const { return indices ? rows : shape.time * shape.batch; }
};

struct LstmForward {
  LstmShape shape;
  bool bf16;
  CellSource source;
  const float *hidden0, *cell0, *wx, *wh, *b;
  float *hiddens;  // [T, N, H]
  float *cells;    // [T, N, H]; null where nobody wants them
  float *gates;    // [T, N, 4H], after their nonlinearities; null where nobody wants them
  float *last_hidden, *last_cell;  // [N, H]
  // Where the weights are packed already (see below), wx and wh are not read.
  const void *packed_wx = nullptr, *packed_wh = nullptr;
};
void lstm_forward(const LstmForward& job);

// Weights as the kernel wants them, made once for many calls. Sizes are in bytes.
long packed_wx_bytes(long input, long hidden, bool bf16);
long packed_wh_bytes(long hidden, bool bf16);
void pack_wx(const float* wx, long input, long hidden, bool bf16, void* out);
void pack_wh(const float* wh, long hidden, bool bf16, void* out);

struct LstmBackward {
  LstmShape shape;
  bool bf16;
  const float* d_hiddens;
  CellSource source;
  const float *hidden0, *cell0, *wx, *wh, *hiddens, *cells, *gates;
  float *dx;               // as x
  float *d_wx, *d_wh, *d_b;
  float *d_hidden0, *d_cell0;
};
void lstm_backward(const LstmBackward& job);

}  // namespace gatelm
