// The inner loops, written in vectors of VEC floats (GCC's vector extension) and compiled once a target.
// Before including: #pragma GCC target, VEC, MAX_MR, and the namespace ISA_NAMESPACE.

#include <string.h>

#include "isa.h"

namespace gatelm {
namespace ISA_NAMESPACE {

typedef float vf __attribute__((vector_size(4 * VEC)));
typedef int32_t vi __attribute__((vector_size(4 * VEC)));

constexpr int kNr = 2 * VEC;

static inline vf splat(float x) { return x - vf{}; }

static inline vf load(const float* p) {
  vf v;
  memcpy(&v, p, sizeof v);
  return v;
}

static inline void store(float* p, vf v) { memcpy(p, &v, sizeof v); }

// The first n of a vector; the rest is zeros.
static inline vf load_n(const float* p, long n) {
  if (n >= VEC) return load(p);
  vf v = {};
  memcpy(&v, p, 4 * n);
  return v;
}

static inline void store_n(float* p, vf v, long n) {
  if (n >= VEC) return store(p, v);
  memcpy(p, &v, 4 * n);
}

static inline double horizontal_sum(vf v) {
  double sum = 0;
  for (int lane = 0; lane < VEC; lane++) sum += v[lane];
  return sum;
}

// ---- products -----------------------------------------------------------------------------------------------------

static void pack_a(const MatrixView& a, long row, long rows, int mr, long k, long depth, float* out) {
  const long here = rows - row < mr ? rows - row : mr;
  const float* from = a.data + row * a.row_stride + k * a.column_stride;
  if (here < mr) memset(out, 0, sizeof(float) * mr * depth);
  if (a.row_stride == 1) {
    for (long d = 0; d < depth; d++) memcpy(out + d * mr, from + d * a.column_stride, sizeof(float) * here);
    return;
  }
  for (long d0 = 0; d0 < depth; d0 += 16) {  // 16 floats are a cache line
    const long end = depth - d0 < 16 ? depth : d0 + 16;
    for (long r = 0; r < here; r++) {
      const float* line = from + r * a.row_stride;
      for (long d = d0; d < end; d++) out[d * mr + r] = line[d * a.column_stride];
    }
  }
}

static void pack_b(const MatrixView& b, long column, long columns, long k, long depth, float* out) {
  const long here = columns - column < kNr ? columns - column : kNr;
  const float* from = b.data + k * b.row_stride + column * b.column_stride;
  if (here < kNr) memset(out, 0, sizeof(float) * kNr * depth);
  if (b.column_stride == 1) {
    for (long d = 0; d < depth; d++) memcpy(out + d * kNr, from + d * b.row_stride, sizeof(float) * here);
    return;
  }
  for (long d0 = 0; d0 < depth; d0 += 16) {
    const long end = depth - d0 < 16 ? depth : d0 + 16;
    for (long c = 0; c < here; c++) {
      const float* line = from + c * b.column_stride;
      for (long d = d0; d < end; d++) out[d * kNr + c] = line[d * b.row_stride];
    }
  }
}

// Adds a finished tile to c, or writes it there; at the edges only what belongs to c.
template <int MR>
static inline void put_tile(const vf (&sum)[MR][2], float* c, long ldc, int rows, int columns, bool accumulate) {
  for (int r = 0; r < MR; r++) {
    if (r >= rows) break;
    float* line = c + r * ldc;
    if (columns == kNr) {
      store(line, accumulate ? load(line) + sum[r][0] : sum[r][0]);
      store(line + VEC, accumulate ? load(line + VEC) + sum[r][1] : sum[r][1]);
    } else {
      for (int half = 0; half < 2; half++) {
        const long n = columns - half * VEC;
        if (n <= 0) break;
        float* to = line + half * VEC;
        store_n(to, accumulate ? load_n(to, n) + sum[r][half] : sum[r][half], n);
      }
    }
  }
}

template <int MR>
static void tile_of(long depth, const float* a, const float* b, float* c, long ldc, int rows, int columns,
                    bool accumulate) {
  vf sum[MR][2] = {};
  for (long k = 0; k < depth; k++, a += MR, b += kNr) {
    const vf b0 = load(b), b1 = load(b + VEC);
#pragma GCC unroll 16
    for (int r = 0; r < MR; r++) {
      const vf ar = splat(a[r]);
      sum[r][0] += ar * b0;
      sum[r][1] += ar * b1;
    }
  }
  put_tile<MR>(sum, c, ldc, rows, columns, accumulate);
}

typedef void (*TileFn)(long, const float*, const float*, float*, long, int, int, bool);

template <int... I>
struct Indices {};
template <int N, int... I>
struct MakeIndices : MakeIndices<N - 1, N, I...> {};
template <int... I>
struct MakeIndices<0, I...> {
  typedef Indices<I...> type;
};

template <int... MR>
static TileFn tile_function(int mr, Indices<MR...>) {
  static const TileFn functions[] = {tile_of<MR>...};
  return functions[mr - 1];
}

static void tile(int mr, long depth, const float* a, const float* b, float* c, long ldc, int rows, int columns,
                 bool accumulate) {
  tile_function(mr, MakeIndices<MAX_MR>::type())(depth, a, b, c, ldc, rows, columns, accumulate);
}

// ---- nonlinearities -----------------------------------------------------------------------------------------------

static inline vf vmin(vf a, vf b) { return a < b ? a : b; }
static inline vf vmax(vf a, vf b) { return a > b ? a : b; }

// e^x, relative error below 2e-7; polynomial of the Cephes library (Moshier). Arguments are clamped to ±87.
static inline vf vexp(vf x) {
  x = vmin(vmax(x, splat(-87.3f)), splat(87.3f));
  const vf magic = splat(12582912.0f);  // 1.5 · 2²³: adding it rounds to an integer
  const vf n = (x * 1.44269504088896341f + magic) - magic;
  const vf r = x - n * 0.693359375f - n * -2.12194440e-4f;
  vf y = splat(1.9875691500e-4f);
  y = y * r + 1.3981999507e-3f;
  y = y * r + 8.3334519073e-3f;
  y = y * r + 4.1665795894e-2f;
  y = y * r + 1.6666665459e-1f;
  y = y * r + 5.0000001201e-1f;
  y = y * r * r + r + 1.0f;
  const vi exponent = (__builtin_convertvector(n, vi) + 127) << 23;
  vf power;
  memcpy(&power, &exponent, sizeof power);
  return y * power;
}

static inline vf vsigmoid(vf x) { return 1.0f / (1.0f + vexp(-x)); }

// Rational approximation, coefficients as in the Eigen library; a few units in the last place.
static inline vf vtanh(vf x) {
  x = vmin(vmax(x, splat(-7.90531110763549805f)), splat(7.90531110763549805f));
  const vf x2 = x * x;
  vf p = splat(-2.76076847742355e-16f);
  p = p * x2 + 2.00018790482477e-13f;
  p = p * x2 + -8.60467152213735e-11f;
  p = p * x2 + 5.12229709037114e-08f;
  p = p * x2 + 1.48572235717979e-05f;
  p = p * x2 + 6.37261928875436e-04f;
  p = p * x2 + 4.89352455891786e-03f;
  p = p * x;
  vf q = splat(1.19825839466702e-06f);
  q = q * x2 + 1.18534705686654e-04f;
  q = q * x2 + 2.26843463243900e-03f;
  q = q * x2 + 4.89352518554385e-03f;
  return p / q;
}

static void gates_forward(long count, float* z, long gate_stride, const float* cell, float* next_cell,
                          float* hidden) {
  for (long i = 0; i < count; i += VEC) {
    const long n = count - i;
    float* at = z + i;
    const vf f = vsigmoid(load_n(at, n));
    const vf g = vtanh(load_n(at + gate_stride, n));
    const vf in = vsigmoid(load_n(at + 2 * gate_stride, n));
    const vf o = vsigmoid(load_n(at + 3 * gate_stride, n));
    const vf next = f * load_n(cell + i, n) + g * in;
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
    const vf dc = load_n(d_cell + i, n) + dh * o * (1.0f - tanh_cell * tanh_cell);
    float* to = d_z + i;
    store_n(to, dc * load_n(previous_cell + i, n) * f * (1.0f - f), n);
    store_n(to + gate_stride, dc * in * (1.0f - g * g), n);
    store_n(to + 2 * gate_stride, dc * g * in * (1.0f - in), n);
    store_n(to + 3 * gate_stride, dh * tanh_cell * o * (1.0f - o), n);
    store_n(d_cell + i, dc * f, n);
  }
}

static void exp_row(long count, float* row, bool keep, float* max_out, double* sum_out) {
  const long whole = count / VEC * VEC;
  float max = row[0];
  if (whole > 0) {
    vf m = load(row);
    for (long i = VEC; i < whole; i += VEC) m = vmax(m, load(row + i));
    for (int lane = 0; lane < VEC; lane++) max = m[lane] > max ? m[lane] : max;
  }
  for (long i = whole; i < count; i++) max = row[i] > max ? row[i] : max;

  double sum = 0;
  for (long block = 0; block < whole; block += 64 * VEC) {  // short float sums, added up in double
    const long end = block + 64 * VEC < whole ? block + 64 * VEC : whole;
    vf partial = {};
    for (long i = block; i < end; i += VEC) {
      const vf e = vexp(load(row + i) - max);
      partial += e;
      if (keep) store(row + i, e);
    }
    sum += horizontal_sum(partial);
  }
  if (whole < count) {
    const long n = count - whole;
    const vf e = vexp(load_n(row + whole, n) - max);
    for (long lane = 0; lane < n; lane++) sum += e[lane];
    if (keep) store_n(row + whole, e, n);
  }
  *max_out = max;
  *sum_out = sum;
}

// ---- elementwise --------------------------------------------------------------------------------------------------

static void scale_row(long count, float* row, float factor) {
  for (long i = 0; i < count; i++) row[i] *= factor;
}

static void add(long count, const float* x, float* y) {
  for (long i = 0; i < count; i++) y[i] += x[i];
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

// ---- random masks -------------------------------------------------------------------------------------------------

constexpr int kBlocks = 16;

// 16 blocks of Philox4x32-10 (Salmon et al. 2011): key (seed, stream), counter (block, 0, low, high).
static inline void philox(uint32_t first_block, const uint32_t key[4], uint32_t out[4 * kBlocks]) {
  uint32_t a[kBlocks], b[kBlocks], c[kBlocks], d[kBlocks];
  for (int j = 0; j < kBlocks; j++) {
    a[j] = first_block + j;
    b[j] = 0;
    c[j] = key[2];
    d[j] = key[3];
  }
  uint32_t key_a = key[0], key_b = key[1];
  for (int round = 0; round < 10; round++) {
    for (int j = 0; j < kBlocks; j++) {
      const uint64_t product_a = static_cast<uint64_t>(0xd2511f53u) * a[j];
      const uint64_t product_c = static_cast<uint64_t>(0xcd9e8d57u) * c[j];
      a[j] = static_cast<uint32_t>(product_c >> 32) ^ b[j] ^ key_a;
      b[j] = static_cast<uint32_t>(product_c);
      c[j] = static_cast<uint32_t>(product_a >> 32) ^ d[j] ^ key_b;
      d[j] = static_cast<uint32_t>(product_a);
    }
    key_a += 0x9e3779b9u;
    key_b += 0xbb67ae85u;
  }
  for (int j = 0; j < kBlocks; j++) {
    out[4 * j] = a[j];
    out[4 * j + 1] = b[j];
    out[4 * j + 2] = c[j];
    out[4 * j + 3] = d[j];
  }
}

static void dropout(long offset, long count, const float* x, float* y, const uint32_t key[4], uint32_t threshold,
                    float kept, long period) {
  uint32_t bits[4 * kBlocks];
  for (long i = 0; i < count;) {
    const long element = (offset + i) % period;
    const long lane = element % 4;
    philox(static_cast<uint32_t>(element / 4), key, bits);
    long run = 4 * kBlocks - lane;
    if (run > count - i) run = count - i;
    if (run > period - element) run = period - element;
    for (long j = 0; j < run; j++) y[i + j] = bits[lane + j] >= threshold ? x[i + j] * kept : 0.0f;
    i += run;
  }
}

}  // namespace ISA_NAMESPACE
}  // namespace gatelm
