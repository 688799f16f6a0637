// T steps of a GRU in its reset-after form, forward and backward. Shapes as in src/layers/time-gru.ts: x [T, N, D],
// hidden [N, H], Wx [D, 3H], Wh [H, 3H], gates in the order r, z, n; b [4H]: that of the three, and the one that is added
// to hidden·Wh in n.
#pragma once

#include "lstm.h"

namespace gatelm {

struct GruForward {
  LstmShape shape;
  bool bf16;
  CellSource source;
  const float *hidden0, *wx, *wh, *b;
  float* hiddens;      // [T, N, H]
  float* gates;        // [T, N, 4H]: r, z, n and what r acts on; null where nobody wants them
  float* last_hidden;  // [N, H]
  const void* packed = nullptr;  // what pack_gru made; then wx and wh are not read
};
void gru_forward(const GruForward& job);

// Weights as the kernel wants them, made once for many calls.
long packed_gru_bytes(long input, long hidden, bool bf16);
void pack_gru(const float* wx, const float* wh, long input, long hidden, bool bf16, void* out);

struct GruBackward {
  LstmShape shape;
  bool bf16;
  const float* d_hiddens;
  CellSource source;
  const float *hidden0, *wx, *wh, *hiddens, *gates;
  float* dx;  // as x
  float *d_wx, *d_wh, *d_b;
  float* d_hidden0;
};
void gru_backward(const GruBackward& job);

}  // namespace gatelm
