#if defined(__x86_64__)
#pragma GCC target("avx2,fma")

#define VEC 8
#define MAX_MR 6
#define ISA_NAMESPACE avx2
#define ISA_TABLE avx2_isa

#include "isa_vector.inl"
#include "isa_products.inl"
#include "isa_table.inl"
#endif
