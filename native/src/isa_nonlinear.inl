// Exponentials, and the rows of a softmax.

namespace gatelm {
namespace ISA_NAMESPACE {

constexpr float kLog2E = 1.44269504088896341f;

// 2^x, relative error below 1.3e-7: 2^⌊x⌋ times a polynomial (minimax for the relative error, 8.3e-8) of what is left; 1 at 0.
static inline vf vexp2(vf x) {
#if VEC == 16
  const vf r = (vf)_mm512_reduce_ps((__m512)x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
#else
  x = vmin(vmax(x, splat(-126.0f)), splat(126.0f));
  const vf magic = splat(12582912.0f);  // 1.5 · 2²³: adding it rounds to an integer
  const vf n = (x - 0.5f + magic) - magic, r = x - n;
#endif
  vf y = splat(1.8671302487e-3f);
  y = multiply_add(y, r, splat(9.0170299438e-3f));
  y = multiply_add(y, r, splat(5.5799913374e-2f));
  y = multiply_add(y, r, splat(2.4016445008e-1f));
  y = multiply_add(y, r, splat(6.9315131181e-1f));
  y = multiply_add(y, r, splat(1.0f));
#if VEC == 16
  return (vf)_mm512_scalef_ps((__m512)y, (__m512)x);
#else
  const vi exponent = (__builtin_convertvector(n, vi) + 127) << 23;
  vf power;
  memcpy(&power, &exponent, sizeof power);
  return y * power;
#endif
}

// e^x; the relative error grows with |x|, as if x itself were rounded.
static inline vf vexp(vf x) { return vexp2(x * kLog2E); }

static inline vf vsigmoid(vf x) { return 1.0f / (1.0f + vexp(-x)); }

// Rational approximation, coefficients as in the Eigen library; a few units in the last place.
static inline vf vtanh(vf x) {
  x = vmin(vmax(x, splat(-7.90531110763549805f)), splat(7.90531110763549805f));
  const vf x2 = x * x;
  vf p = splat(-2.76076847742355e-16f);
  p = multiply_add(p, x2, splat(2.00018790482477e-13f));
  p = multiply_add(p, x2, splat(-8.60467152213735e-11f));
  p = multiply_add(p, x2, splat(5.12229709037114e-08f));
  p = multiply_add(p, x2, splat(1.48572235717979e-05f));
  p = multiply_add(p, x2, splat(6.37261928875436e-04f));
  p = multiply_add(p, x2, splat(4.89352455891786e-03f));
  p = p * x;
  vf q = splat(1.19825839466702e-06f);
  q = multiply_add(q, x2, splat(1.18534705686654e-04f));
  q = multiply_add(q, x2, splat(2.26843463243900e-03f));
  q = multiply_add(q, x2, splat(4.89352518554385e-03f));
  return p / q;
}

static float largest(long count, const float* row) {
  const long whole = count / VEC * VEC;
  float max = row[0];
  if (whole > 0) {
    vf m = load(row);
    for (long i = VEC; i < whole; i += VEC) m = vmax(m, load(row + i));
    for (int lane = 0; lane < VEC; lane++) max = m[lane] > max ? m[lane] : max;
  }
  for (long i = whole; i < count; i++) max = row[i] > max ? row[i] : max;
  return max;
}

// Σ exp(x − max); `each` gets the exponentials of some numbers from an index on, and how many they are.
template <typename Each>
static inline double sum_exponentials(long count, const float* row, float max, const Each& each) {
  const long whole = count / VEC * VEC;
  double sum = 0;
  for (long block = 0; block < whole; block += 64 * VEC) {  // short float sums, added up in double
    const long end = block + 64 * VEC < whole ? block + 64 * VEC : whole;
    vf partial = {};
    for (long i = block; i < end; i += VEC) {
      const vf e = vexp(load(row + i) - max);
      each(i, e, VEC);
      partial += e;
    }
    sum += horizontal_sum(partial);
  }
  if (whole < count) {
    const long n = count - whole;
    const vf e = vexp(load_n(row + whole, n) - max);
    each(whole, e, n);
    for (long lane = 0; lane < n; lane++) sum += e[lane];
  }
  return sum;
}

static void exp_row(long count, const float* row, float* max_out, double* sum_out) {
  *max_out = largest(count, row);
  *sum_out = sum_exponentials(count, row, *max_out, [](long, vf, long) {});
}

static double exp_row_in_place(long count, float* row, float* max_out) {
  *max_out = largest(count, row);
  return sum_exponentials(count, row, *max_out, [row](long i, vf e, long n) { n == VEC ? store(row + i, e) : store_n(row + i, e, n); });
}

static void largest_of_blocks(long blocks, const float* row, float* largest) {
  for (long block = 0; block < blocks; block++, row += kBlockColumns) {
    vf most = splat(-__builtin_inff());
#pragma GCC unroll 16
    for (long i = 0; i < kBlockColumns; i += VEC) most = vmax(most, load(row + i));
    float max = most[0];
    for (int lane = 1; lane < VEC; lane++) max = most[lane] > max ? most[lane] : max;
    largest[block] = max;
  }
}

// A vector of a line of logits becomes exp(x + bias − shift); the largest x + bias and the sum go on.
static inline vf exp_logits(float* at, float bias, vf shift, vf* most, vf* total) {
  const vf x = load(at) + bias, e = vexp(x - shift);
  *most = vmax(x, *most);
  *total += e;
  store(at, e);
  return e;
}

// See isa.h. Columns beyond `columns` are read and written, but change nothing.
static void exp_tile(long rows, long columns, float* tile, const float* bias, const float* shift, double* sum,
                     float* max) {
  for (long m = 0; m < columns; m += VEC) {
    const long n = columns - m;
    const vf c = load_n(shift + m, n);
    vf most = load_n(max + m, n), total = {};
    for (long r = 0; r < rows; r++) exp_logits(tile + r * kNr + m, bias[r], c, &most, &total);
    store_n(max + m, most, n);
    for (long lane = 0; lane < VEC && lane < n; lane++) sum[m + lane] += total[lane];
  }
}

}  // namespace ISA_NAMESPACE
}  // namespace gatelm
