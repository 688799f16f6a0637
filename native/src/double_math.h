// Exponential and natural logarithm in double precision, made of the four operations alone: the same bits with every compiler
// and every C library. A few units in the last place from the exact ones.
#pragma once

#include <math.h>

namespace gatelm {

constexpr double kLn2 = 0.693147180559945309417;

// e^x = 2^n · e^r; Taylor's series of e^r, |r| ≤ ln 2 / 2.
inline double exponential(double x) {
  if (!(x > -746)) return x != x ? x : 0;
  if (x > 710) return INFINITY;
  // ln 2 in two parts: n · kHigh is exact.
  constexpr double kHigh = 0x1.62e42feep-1, kLow = 0x1.a39ef35793c76p-33;
  const int n = static_cast<int>(x / kLn2 + (x < 0 ? -0.5 : 0.5));
  const double r = x - n * kHigh - n * kLow;
  double sum = 1;
  for (int k = 14; k > 0; k--) sum = 1 + sum * (r * (1.0 / k));
  return ldexp(sum, n);
}

// ln x = n · ln 2 + ln m; ln m = 2 · artanh s with s = (m − 1) / (m + 1), |s| < 0.172.
inline double logarithm(double x) {
  if (!(x > 0)) return x == 0 ? -INFINITY : NAN;
  if (x == INFINITY) return x;
  int n;
  double m = frexp(x, &n);
  if (m < 0.70710678118654752) m *= 2, n--;
  const double s = (m - 1) / (m + 1), s2 = s * s;
  double sum = 0;
  for (int k = 23; k > 1; k -= 2) sum = (sum + 1.0 / k) * s2;
  return n * kLn2 + (2 * s + 2 * s * sum);
}

}  // namespace gatelm
