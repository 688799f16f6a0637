// The output layer with softmax and cross-entropy: logits = h·Wᵀ + b; losses in nats.
// h [M, H]; w [V, H]; b [V]; targets [M].
#pragma once

#include <stdint.h>

namespace gatelm {

struct SoftmaxLoss {
  long rows;        // M
  long hidden;      // H
  long vocabulary;  // V
  bool bf16;
  const float *h, *w, *b;
  const int32_t* targets;
  float* losses;  // [M]
};

// Losses alone, a block of rows at a time.
void softmax_loss(const SoftmaxLoss& job);

// Losses and gradients: dLogits = (softmax − onehot) · scale. One [M, V] buffer serves as logits, probabilities and
// dLogits.
void softmax_loss_backward(const SoftmaxLoss& job, float scale, float* dh, float* dw, float* db);

}  // namespace gatelm
