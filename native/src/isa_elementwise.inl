// Passes over whole tensors: sums, and the updates of weights.

namespace gatelm {
namespace ISA_NAMESPACE {

static void add(long count, const float* x, float* y) {
  for (long i = 0; i < count; i++) y[i] += x[i];
}

static void scale(long count, float factor, float* y) {
  for (long i = 0; i < count; i++) y[i] *= factor;
}

static void add_scaled(long count, const float* x, float factor, float* y) {
  for (long i = 0; i < count; i += VEC) {
    const long n = count - i;
    store_n(y + i, multiply_add(load_n(x + i, n), splat(factor), load_n(y + i, n)), n);
  }
}

static double sum_squares(long count, const float* x) {
  double sum = 0;
  for (long block = 0; block < count; block += 64 * VEC) {
    const long end = block + 64 * VEC < count ? block + 64 * VEC : count;
    vf partial = {};
    for (long i = block; i < end; i += VEC) {
      const vf v = load_n(x + i, end - i);
      partial = multiply_add(v, v, partial);
    }
    sum += horizontal_sum(partial);
  }
  return sum;
}

static void sgd(long count, float* value, const float* gradient, float* average, float learning_rate,
                float gradient_scale, float weight_decay, float average_coefficient) {
  for (long i = 0; i < count; i += VEC) {
    const long n = count - i;
    const vf w = load_n(value + i, n);
    const vf step = multiply_add(load_n(gradient + i, n), splat(gradient_scale), weight_decay * w);
    const vf next = multiply_add(splat(-learning_rate), step, w);
    store_n(value + i, next, n);
    if (!average) continue;
    const vf mean = load_n(average + i, n);
    store_n(average + i, multiply_add(next - mean, splat(average_coefficient), mean), n);
  }
}

// decay: λ, or λ / mean(R) where there are roots.
static void adapt(long count, float* value, const float* trained, const float* gradient, const float* roots,
                  float learning_rate, float decay, float epsilon) {
  for (long i = 0; i < count; i += VEC) {
    const long n = count - i;
    const vf w = load_n(value + i, n);
    vf step = {}, pull = {};
    if (roots) {
      const vf root = load_n(roots + i, n);
      step = learning_rate / (root + epsilon);
      pull = vmin(splat(1.0f), root * decay);
    } else {
      step += learning_rate;
      pull += decay;
    }
    vf change = (load_n(trained + i, n) - w) * pull;
    if (gradient) change = multiply_add(-load_n(gradient + i, n), step, change);
    store_n(value + i, w + change, n);
  }
}

static void adam(long count, float* value, float* m, float* v, const float* gradient, const AdamScalars& s) {
  for (long i = 0; i < count; i += VEC) {
    const long n = count - i;
    const vf w = load_n(value + i, n);
    const float decay = (1.0f - s.decoupled) * s.weight_decay, decoupled_decay = s.decoupled * s.weight_decay;
    const vf g = multiply_add(load_n(gradient + i, n), splat(s.gradient_scale), decay * w);
    const vf next_m = multiply_add(load_n(m + i, n), splat(s.beta1), g * (1.0f - s.beta1));
    const vf next_v = multiply_add(load_n(v + i, n), splat(s.beta2), g * g * (1.0f - s.beta2));
    const vf root = square_root(next_v / s.correction2);
    const vf direction = next_m / s.correction1 / (root + s.epsilon);
    store_n(m + i, next_m, n);
    store_n(v + i, next_v, n);
    const vf step = multiply_add(splat(decoupled_decay), w, direction);
    store_n(value + i, multiply_add(splat(-s.learning_rate), step, w), n);
  }
}

}  // namespace ISA_NAMESPACE
}  // namespace gatelm
