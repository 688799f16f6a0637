// T steps of a Mogrifier LSTM, forward and backward: rounds in which x and the hidden state gate each other, then a step of
// an LSTM (lstm.h). Shapes as in src/layers/time-mogrifier-lstm.ts; round i, counted from 0, changes x [N, D] where i is
// even, else the hidden state [N, H]:
//
//     target = 2σ(source · matrix) ⊙ target        or, of rank K, 2σ(source · down · up) ⊙ target
#pragma once

#include <vector>

#include "lstm.h"

namespace gatelm {

struct MogrifierShape : LstmShape {
  int rounds;
  long rank;  // K; 0: whole matrices

  static bool changes_input(int round) { return round % 2 == 0; }
  long source(int round) const { return changes_input(round) ? hidden : input; }
  long target(int round) const { return changes_input(round) ? input : hidden; }
};

struct MogrifierForward {
  MogrifierShape shape;
  bool bf16;
  const float *x, *hidden0, *cell0, *wx, *wh, *b;
  // One a round: the matrix [source, target]; or down [source, K] in `matrices` and up [K, target]. Not read where the
  // weights are packed.
  std::vector<const float*> matrices, ups;
  float *hiddens, *cells, *gates;  // as in LstmForward
  std::vector<float*> round_gates;  // [T, N, target] a round; empty where nobody wants them
  float *last_hidden, *last_cell;
  const void* packed = nullptr;  // what pack_mogrifier made
};
void mogrifier_forward(const MogrifierForward& job);

// Weights as the kernel wants them, made once for many calls. Time and batch of the shape do not matter.
long packed_mogrifier_bytes(const MogrifierShape& shape, bool bf16);
void pack_mogrifier(const MogrifierForward& job, void* out);

struct MogrifierBackward {
  MogrifierShape shape;
  bool bf16;
  const float *d_hiddens, *x, *hidden0, *cell0, *wx, *wh, *hiddens, *cells, *gates;
  std::vector<const float*> matrices, ups, round_gates;
  float* dx;
  float *d_wx, *d_wh, *d_b;
  std::vector<float*> d_matrices, d_ups;
};
void mogrifier_backward(const MogrifierBackward& job);

}  // namespace gatelm
