#include "cpu.h"

#include <cstdlib>
#include <cstring>

namespace gatelm {
namespace {

CpuPath best_path() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  if (avx512 && __builtin_cpu_supports("avx512bf16")) return CpuPath::kAvx512Bf16;
  if (avx512) return CpuPath::kAvx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return CpuPath::kAvx2;
#endif
  return CpuPath::kPortable;
}

CpuPath chosen_path() {
  const CpuPath best = best_path();
  const char* wanted = std::getenv("GATELM_CPU");
  if (!wanted) return best;
  for (int path = 0; path <= static_cast<int>(best); path++) {
    if (std::strcmp(wanted, cpu_path_name(static_cast<CpuPath>(path))) == 0) return static_cast<CpuPath>(path);
  }
  return best;
}

}  // namespace

CpuPath cpu_path() {
  static const CpuPath path = chosen_path();
  return path;
}

const char* cpu_path_name(CpuPath path) {
  switch (path) {
    case CpuPath::kPortable:
      return "portable";
    case CpuPath::kAvx2:
      return "avx2";
    case CpuPath::kAvx512:
      return "avx512";
    case CpuPath::kAvx512Bf16:
      return "avx512bf16";
  }
  return "unknown";
}

}  // namespace gatelm
