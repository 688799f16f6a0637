#include "cpu.h"

#include <cstdlib>
#include <cstring>

#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace gatelm {
namespace {

// Linux gives the state of AMX's tiles (feature 18) to processes that ask for it.
[[maybe_unused]] bool may_use_tiles() {
#if defined(__x86_64__) && defined(__linux__)
  constexpr int kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

CpuPath find_best_path() {
#if defined(GATELM_EMULATE_AMX)
  return CpuPath::kAmx;
#elif defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  const bool bf16 = avx512 && __builtin_cpu_supports("avx512bf16");
  if (bf16 && __builtin_cpu_supports("amx-tile") && __builtin_cpu_supports("amx-bf16") && may_use_tiles()) {
    return CpuPath::kAmx;
  }
  if (bf16) return CpuPath::kAvx512Bf16;
  if (avx512) return CpuPath::kAvx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return CpuPath::kAvx2;
#endif
  return CpuPath::kPortable;
}

CpuPath chosen_path() {
  const CpuPath best = best_cpu_path();
  const char* wanted = std::getenv("GATELM_CPU");
  if (!wanted) return best;
  for (int path = 0; path <= static_cast<int>(best); path++) {
    if (std::strcmp(wanted, cpu_path_name(static_cast<CpuPath>(path))) == 0) return static_cast<CpuPath>(path);
  }
  return best;
}

}  // namespace

CpuPath best_cpu_path() {
  static const CpuPath path = find_best_path();
  return path;
}

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
    case CpuPath::kAmx:
      return "amx";
  }
  return "unknown";
}

}  // namespace gatelm
