// AVX-512 for floats, AMX for bfloat16: tiles of 16 rows, each product of two tiles is 16 · 16 · 32 multiply-adds.
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "isa.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,fma,amx-tile,amx-bf16"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,fma,amx-tile,amx-bf16,prefer-vector-width=512")
#endif

#define VEC 16
#define MAX_MR 14
#define ISA_NAMESPACE amx
#define ISA_TABLE amx_isa

#include "isa_vector.inl"
#include "isa_products.inl"
#include "isa_bfloat16.inl"
#include "isa_amx.inl"

#define BFLOAT16_PRODUCTS \
  { kMaxRows, kDepth, 2, pack_a_tiles, pack_b_tiles, multiply_tiles, begin_tiles, end_tiles, nullptr, nullptr }

#include "isa_table.inl"

#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
