#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "isa.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif

#define VEC 8
#define MAX_MR 6
#define ISA_NAMESPACE avx2
#define ISA_TABLE avx2_isa

#include "isa_vector.inl"
#include "isa_products.inl"
#include "isa_table.inl"

#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
