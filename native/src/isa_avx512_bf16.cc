// AVX-512 with bfloat16 products: vdpbf16ps multiplies pairs and adds them up in float32.
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "isa.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,fma"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,fma,prefer-vector-width=512")
#endif

#define VEC 16
#define MAX_MR 14
#define ISA_NAMESPACE avx512_bf16
#define ISA_TABLE avx512_bf16_isa

#include "isa_vector.inl"
#include "isa_products.inl"
#include "isa_bfloat16.inl"

#define PACKS_PAIRS
#define BFLOAT16_PRODUCTS                                                                            \
  {                                                                                                  \
    MAX_MR, 2, 2, pack_a_of<BFloat16>, pack_b_of<BFloat16>, multiply_tile<BFloat16>, nullptr, nullptr, \
        EXP_AND_PACK(BFloat16), MULTIPLY_NARROW(BFloat16)                                            \
  }

#include "isa_table.inl"

#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
