// For every processor: vectors of four floats, which each compiler maps to what there is (SSE2, NEON).
#include <string.h>
#if defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "isa.h"

#define VEC 4
#define MAX_MR 6
#define ISA_NAMESPACE portable
#define ISA_TABLE portable_isa

#include "isa_vector.inl"
#include "isa_products.inl"
#include "isa_table.inl"

#include "cpu.h"

namespace gatelm {

#if defined(__x86_64__)
const Isa& avx2_isa();
const Isa& avx512_isa();
const Isa& avx512_bf16_isa();
const Isa& amx_isa();
#endif

const Isa& isa() {
  switch (cpu_path()) {
#if defined(__x86_64__)
    case CpuPath::kAvx2:
      return avx2_isa();
    case CpuPath::kAvx512:
      return avx512_isa();
    case CpuPath::kAvx512Bf16:
      return avx512_bf16_isa();
    case CpuPath::kAmx:
      return amx_isa();
#endif
    default:
      return portable_isa();
  }
}

}  // namespace gatelm
