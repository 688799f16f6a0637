// Passes over whole tensors: sums, and the updates of weights.

namespace gatelm {
namespace ISA_NAMESPACE {

static void add(long count, const float* x, float* y) {
  for (long i = 0; i < count; i++) y[i] += x[i];
}

static void add_scaled(long count, const float* x, float factor, float* y) {
  for (long i = 0; i < count; i++) y[i] += x[i] * factor;
}

static double sum_squares(long count, const float* x) {
  double sum = 0;
  for (long block = 0; block < count; block += 64 * VEC) {
    const long end = block + 64 * VEC < count ? block + 64 * VEC : count;
    vf partial = {};
    for (long i = block; i < end; i += VEC) {
      const vf v = load_n(x + i, end - i);
      partial += v * v;
    }
    sum += horizontal_sum(partial);
  }
  return sum;
}

static void sgd(long count, float* value, const float* gradient, float* average, float learning_rate,
                float gradient_scale, float weight_decay, float average_coefficient) {
  if (!average) {
    for (long i = 0; i < count; i++) {
      value[i] -= learning_rate * (gradient[i] * gradient_scale + weight_decay * value[i]);
    }
    return;
  }
  for (long i = 0; i < count; i++) {
    value[i] -= learning_rate * (gradient[i] * gradient_scale + weight_decay * value[i]);
    average[i] += (value[i] - average[i]) * average_coefficient;
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
      pull = root * decay;
      for (int lane = 0; lane < VEC; lane++) pull[lane] = pull[lane] < 1.0f ? pull[lane] : 1.0f;
    } else {
      step += learning_rate;
      pull += decay;
    }
    vf change = (load_n(trained + i, n) - w) * pull;
    if (gradient) change -= load_n(gradient + i, n) * step;
    store_n(value + i, w + change, n);
  }
}

static void adam(long count, float* value, float* m, float* v, const float* gradient, const AdamScalars& s) {
  for (long i = 0; i < count; i += VEC) {
    const long n = count - i;
    const vf w = load_n(value + i, n);
    const vf g = load_n(gradient + i, n) * s.gradient_scale + (1.0f - s.decoupled) * s.weight_decay * w;
    const vf next_m = load_n(m + i, n) * s.beta1 + g * (1.0f - s.beta1);
    const vf next_v = load_n(v + i, n) * s.beta2 + g * g * (1.0f - s.beta2);
    const vf corrected = next_v / s.correction2;
    vf root;
    for (int lane = 0; lane < VEC; lane++) root[lane] = __builtin_sqrtf(corrected[lane]);
    const vf direction = next_m / s.correction1 / (root + s.epsilon);
    store_n(m + i, next_m, n);
    store_n(v + i, next_v, n);
    store_n(value + i, w - s.learning_rate * (direction + s.decoupled * s.weight_decay * w), n);
  }
}

}  // namespace ISA_NAMESPACE
}  // namespace gatelm
