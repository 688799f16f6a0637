#include "model.h"

#include <math.h>

#include <utility>

#include "isa.h"
#include "lstm.h"
#include "rows.h"
#include "softmax_loss.h"
#include "thread_pool.h"
#include "top_logits.h"

namespace gatelm_bench {
namespace {

constexpr long kTop = 40;
constexpr float kLearningRate = 1e-3f;
// Part of the steps up to which tokens count as repeated, src/layers/time-embedding.ts.
constexpr double kMostDistinct = 0.75;

// Values in (−limit, limit), the same ones each run.
Floats random_floats(long count, uint32_t seed, float limit) {
  Floats values(count);
  uint32_t state = seed * 2654435761u + 1;
  for (float& value : values) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(static_cast<int32_t>(state)) / 2147483648.0f * limit;
  }
  return values;
}

std::vector<int32_t> random_ids(long count, uint32_t seed, long vocabulary) {
  std::vector<int32_t> ids(count);
  uint32_t state = seed;
  for (int32_t& id : ids) {
    state = state * 1664525u + 1013904223u;
    id = static_cast<int32_t>((state >> 8) % vocabulary);
  }
  return ids;
}

}  // namespace

Model::Model(const ModelShape& shape, bool bf16) : shape_(shape), bf16_(bf16), layers_(shape.layers) {
  const long H = shape.hidden, V = shape.vocabulary, N = shape.batch, steps = shape.time * N;
  const float limit = 1 / sqrtf(static_cast<float>(H));
  ids_ = random_ids(steps, 1, V);
  targets_ = random_ids(steps, 2, V);
  embedding_ = random_floats(V * H, 3, limit);
  w_ = random_floats(V * H, 4, limit);
  b_ = random_floats(V, 5, limit);
  d_w_.resize(V * H);
  d_b_.resize(V);
  x_.resize(steps * H);
  d_x_.resize(steps * H);
  d_outputs_.resize(steps * H);
  losses_.resize(steps);
  logits_.resize(N * V);
  top_.resize(N * kTop);
  top_ids_.resize(N * kTop);
  uint32_t seed = 6;
  for (Layer& layer : layers_) {
    layer.wx = random_floats(4 * H * H, seed++, limit);
    layer.wh = random_floats(4 * H * H, seed++, limit);
    layer.b = random_floats(4 * H, seed++, limit);
    layer.d_wx.resize(4 * H * H);
    layer.d_wh.resize(4 * H * H);
    layer.d_b.resize(4 * H);
    for (Floats* state : {&layer.hidden, &layer.cell, &layer.next_hidden, &layer.next_cell, &layer.d_hidden, &layer.d_cell}) {
      state->resize(N * H);
    }
    layer.hiddens.resize(steps * H);
    layer.cells.resize(steps * H);
    layer.gates.resize(4 * steps * H);
  }
}

void Model::update(Floats& value, const Floats& gradient, float gradient_scale) {
  gatelm::run_shared(value.size(), 64, [&](gatelm::Range range) {
    gatelm::isa().sgd(range.end - range.begin, &value[range.begin], &gradient[range.begin], nullptr, kLearningRate,
                      gradient_scale, 0, 0);
  });
}

void Model::train() {
  const long H = shape_.hidden, steps = shape_.time * shape_.batch;
  const gatelm::LstmShape shape{shape_.time, shape_.batch, H, H};
  // As the program does it: each token once where they repeat.
  const gatelm::RowIndex index = gatelm::index_rows(ids_.data(), steps);
  const long distinct = index.ids.size();
  const bool repeats = distinct <= kMostDistinct * steps;
  gatelm::copy_rows(embedding_.data(), repeats ? index.ids.data() : ids_.data(), repeats ? distinct : steps, H, x_.data());
  const gatelm::CellSource tokens(x_.data(), repeats ? index.position.data() : nullptr, distinct);
  const float* x = nullptr;
  for (Layer& layer : layers_) {
    gatelm::lstm_forward({shape, bf16_, x ? gatelm::CellSource(x) : tokens, layer.hidden.data(), layer.cell.data(),
                          layer.wx.data(), layer.wh.data(), layer.b.data(), layer.hiddens.data(), layer.cells.data(),
                          layer.gates.data(), layer.next_hidden.data(), layer.next_cell.data()});
    x = layer.hiddens.data();
  }
  gatelm::softmax_loss_backward({steps, H, shape_.vocabulary, bf16_, x, w_.data(), b_.data(), targets_.data(), losses_.data()},
                                1.0f / steps, d_outputs_.data(), d_w_.data(), d_b_.data());
  for (long l = shape_.layers - 1; l >= 0; l--) {
    Layer& layer = layers_[l];
    const gatelm::CellSource below = l == 0 ? tokens : gatelm::CellSource(layers_[l - 1].hiddens.data());
    gatelm::lstm_backward({shape, bf16_, d_outputs_.data(), below, layer.hidden.data(), layer.cell.data(), layer.wx.data(),
                           layer.wh.data(), layer.hiddens.data(), layer.cells.data(), layer.gates.data(), d_x_.data(),
                           layer.d_wx.data(), layer.d_wh.data(), layer.d_b.data(), layer.d_hidden.data(),
                           layer.d_cell.data()});
    std::swap(d_outputs_, d_x_);
  }
  if (!repeats) {
    gatelm::sum_rows(index, d_outputs_.data(), H, d_x_.data());
    std::swap(d_outputs_, d_x_);
  }
  double squares = gatelm::isa().sum_squares(distinct * H, d_outputs_.data());
  std::vector<std::pair<Floats*, const Floats*>> updates = {{&w_, &d_w_}, {&b_, &d_b_}};
  for (Layer& layer : layers_) {
    updates.push_back({&layer.wx, &layer.d_wx});
    updates.push_back({&layer.wh, &layer.d_wh});
    updates.push_back({&layer.b, &layer.d_b});
  }
  for (const auto& [value, gradient] : updates) {
    squares += gatelm::isa().sum_squares(gradient->size(), gradient->data());
  }
  const float scale = squares > 1 ? static_cast<float>(1 / sqrt(squares)) : 1;
  for (const auto& [value, gradient] : updates) update(*value, *gradient, scale);
  gatelm::add_rows(embedding_.data(), index.ids.data(), d_outputs_.data(), distinct, H, -kLearningRate * scale);
}

void Model::pack() {
  const long H = shape_.hidden, V = shape_.vocabulary;
  for (Layer& layer : layers_) {
    layer.packed_wx.resize(gatelm::packed_wx_bytes(H, H, bf16_) / 4);
    layer.packed_wh.resize(gatelm::packed_wh_bytes(H, bf16_) / 4);
    gatelm::pack_wx(layer.wx.data(), H, H, bf16_, layer.packed_wx.data());
    gatelm::pack_wh(layer.wh.data(), H, bf16_, layer.packed_wh.data());
  }
  packed_w_.resize(gatelm::packed_output_bytes(H, V, bf16_) / 4);
  gatelm::pack_output_weights(w_.data(), H, V, bf16_, packed_w_.data());
}

void Model::evaluate() {
  const long H = shape_.hidden, steps = shape_.time * shape_.batch;
  gatelm::copy_rows(embedding_.data(), ids_.data(), steps, H, x_.data());
  const float* x = x_.data();
  for (Layer& layer : layers_) {
    gatelm::lstm_forward({{shape_.time, shape_.batch, H, H}, bf16_, x, layer.hidden.data(), layer.cell.data(), nullptr, nullptr,
                          layer.b.data(), layer.hiddens.data(), nullptr, nullptr, layer.next_hidden.data(),
                          layer.next_cell.data(), layer.packed_wx.data(), layer.packed_wh.data()});
    x = layer.hiddens.data();
  }
  gatelm::softmax_loss({steps, H, shape_.vocabulary, bf16_, x, nullptr, b_.data(), targets_.data(), losses_.data(),
                        packed_w_.data()});
}

void Model::generate() {
  const long H = shape_.hidden, V = shape_.vocabulary, N = shape_.batch;
  const gatelm::TeamTurn turn;
  gatelm::copy_rows(embedding_.data(), ids_.data(), N, H, x_.data());
  const float* x = x_.data();
  for (Layer& layer : layers_) {
    gatelm::lstm_forward({{1, N, H, H}, bf16_, x, layer.hidden.data(), layer.cell.data(), nullptr, nullptr, layer.b.data(),
                          layer.hiddens.data(), nullptr, nullptr, layer.hidden.data(), layer.cell.data(),
                          layer.packed_wx.data(), layer.packed_wh.data()});
    x = layer.hiddens.data();
  }
  gatelm::logits({N, H, V, bf16_, x, nullptr, b_.data(), nullptr, nullptr, packed_w_.data()}, logits_.data());
  gatelm::top_logits(logits_.data(), N, V, kTop < V ? kTop : V, top_.data(), top_ids_.data());
}

}  // namespace gatelm_bench
