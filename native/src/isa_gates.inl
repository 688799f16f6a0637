// The gates of the recurrent cells.

namespace gatelm {
namespace ISA_NAMESPACE {

static void gates_forward(long count, float* z, long gate_stride, const float* cell, float* next_cell,
                          float* hidden) {
  for (long i = 0; i < count; i += VEC) {
    const long n = count - i;
    float* at = z + i;
    const vf f = vsigmoid(load_n(at, n));
    const vf g = vtanh(load_n(at + gate_stride, n));
    const vf in = vsigmoid(load_n(at + 2 * gate_stride, n));
    const vf o = vsigmoid(load_n(at + 3 * gate_stride, n));
    const vf next = multiply_add(f, load_n(cell + i, n), g * in);
    store_n(at, f, n);
    store_n(at + gate_stride, g, n);
    store_n(at + 2 * gate_stride, in, n);
    store_n(at + 3 * gate_stride, o, n);
    store_n(next_cell + i, next, n);
    store_n(hidden + i, o * vtanh(next), n);
  }
}

static void gates_backward(long count, const float* gates, long gate_stride, const float* cell,
                           const float* previous_cell, const float* d_hidden, float* d_cell, float* d_z) {
  for (long i = 0; i < count; i += VEC) {
    const long n = count - i;
    const float* at = gates + i;
    const vf f = load_n(at, n), g = load_n(at + gate_stride, n);
    const vf in = load_n(at + 2 * gate_stride, n), o = load_n(at + 3 * gate_stride, n);
    const vf tanh_cell = vtanh(load_n(cell + i, n));
    const vf dh = load_n(d_hidden + i, n);
    const vf dc = multiply_add(dh * o, multiply_add(-tanh_cell, tanh_cell, splat(1.0f)), load_n(d_cell + i, n));
    float* to = d_z + i;
    store_n(to, dc * load_n(previous_cell + i, n) * f * (1.0f - f), n);
    store_n(to + gate_stride, dc * in * multiply_add(-g, g, splat(1.0f)), n);
    store_n(to + 2 * gate_stride, dc * g * in * (1.0f - in), n);
    store_n(to + 3 * gate_stride, dh * tanh_cell * o * (1.0f - o), n);
    store_n(d_cell + i, dc * f, n);
  }
}

// See Isa::gru_forward. n + z · (hidden − n) is (1 − z) · n + z · hidden.
static void gru_forward(long count, float* gates, long gate_stride, const float* hidden, float* next_hidden) {
  for (long i = 0; i < count; i += VEC) {
    const long n = count - i;
    float* at = gates + i;
    const vf r = vsigmoid(load_n(at, n)), z = vsigmoid(load_n(at + gate_stride, n));
    const vf candidate = vtanh(multiply_add(r, load_n(at + 3 * gate_stride, n), load_n(at + 2 * gate_stride, n)));
    store_n(at, r, n);
    store_n(at + gate_stride, z, n);
    store_n(at + 2 * gate_stride, candidate, n);
    store_n(next_hidden + i, multiply_add(z, load_n(hidden + i, n) - candidate, candidate), n);
  }
}

static void gru_backward(long count, const float* gates, long gate_stride, const float* hidden, float* d_hidden,
                         float* d_sums) {
  for (long i = 0; i < count; i += VEC) {
    const long n = count - i;
    const float* at = gates + i;
    const vf r = load_n(at, n), z = load_n(at + gate_stride, n), candidate = load_n(at + 2 * gate_stride, n);
    const vf dh = load_n(d_hidden + i, n);
    const vf d_candidate = dh * (1.0f - z) * multiply_add(-candidate, candidate, splat(1.0f));
    float* to = d_sums + i;
    store_n(to, d_candidate * load_n(at + 3 * gate_stride, n) * r * (1.0f - r), n);
    store_n(to + gate_stride, dh * (load_n(hidden + i, n) - candidate) * z * (1.0f - z), n);
    store_n(to + 2 * gate_stride, d_candidate, n);
    store_n(to + 3 * gate_stride, d_candidate * r, n);
    store_n(d_hidden + i, dh * z, n);
  }
}

static void modulate(long count, const float* gate, const float* value, float* out) {
  for (long i = 0; i < count; i += VEC) {
    const long n = count - i;
    const vf product = load_n(value + i, n) * load_n(gate + i, n);
    store_n(out + i, product + product, n);
  }
}

static void modulate_by_sum(long count, float* gate, const float* value, float* out) {
  for (long i = 0; i < count; i += VEC) {
    const long n = count - i;
    const vf g = vsigmoid(load_n(gate + i, n)), product = load_n(value + i, n) * g;
    store_n(gate + i, g, n);
    store_n(out + i, product + product, n);
  }
}

static void modulate_backward(long count, const float* gate, const float* value, float* d_value, float* d_sum) {
  for (long i = 0; i < count; i += VEC) {
    const long n = count - i;
    const vf g = load_n(gate + i, n), half = load_n(d_value + i, n) * g, d = half + half;
    store_n(d_value + i, d, n);
    store_n(d_sum + i, d * load_n(value + i, n) * (1.0f - g), n);
  }
}

}  // namespace ISA_NAMESPACE
}  // namespace gatelm
