#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "isa.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,fma"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,fma,prefer-vector-width=512")
#endif

#define VEC 16
#define MAX_MR 14
#define ISA_NAMESPACE avx512
#define ISA_TABLE avx512_isa

#include "isa_vector.inl"
#include "isa_products.inl"
#include "isa_table.inl"

#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
