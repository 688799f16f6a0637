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
  const void* packed_w = nullptr;  // where given (see pack_output_weights), w is not read by softmax_loss and logits
};

// Losses alone; no logits are kept.
void softmax_loss(const SoftmaxLoss& job);

// The scores of all words, [M, V].
void logits(const SoftmaxLoss& job, float* out);

long packed_output_bytes(long hidden, long vocabulary, bool bf16);
void pack_output_weights(const float* w, long hidden, long vocabulary, bool bf16, void* out);

// Losses and the gradients of Σ losses · scale, by one of the two below.
void softmax_loss_backward(const SoftmaxLoss& job, float scale, float* dh, float* dw, float* db);

// Keeps no logits: a thread goes through its words for all rows.
void softmax_loss_backward_many_words(const SoftmaxLoss& job, float scale, float* dh, float* dw, float* db);

// Keeps the logits [M, V]: a thread goes through all words for its rows.
void softmax_loss_backward_few_words(const SoftmaxLoss& job, float scale, float* dh, float* dw, float* db);

}  // namespace gatelm
