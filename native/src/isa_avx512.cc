#if defined(__x86_64__)
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,fma,prefer-vector-width=512")

#define VEC 16
#define MAX_MR 14
#define ISA_NAMESPACE avx512
#define ISA_TABLE avx512_isa

#include "isa_vector.inl"
#include "isa_products.inl"
#include "isa_table.inl"
#endif
