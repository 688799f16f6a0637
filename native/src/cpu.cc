#include "cpu.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace gatelm {
namespace {

// What the processor can do and the operating system lets processes use.
struct Features {
  bool avx2 = false;    // with FMA
  bool avx512 = false;  // F, BW, VL, DQ
  bool bf16 = false;    // AVX512-BF16
  bool amx = false;     // tiles with bfloat16
  bool fast_bf16 = false;  // see detect_features
};

#if defined(__x86_64__)

// Linux gives the state of AMX's tiles (feature 18) to processes that ask for it.
bool may_use_tiles() {
#if defined(__linux__)
  constexpr int kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

// The registers that the operating system saves, as bits of XCR0.
uint32_t saved_registers() {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

// The numbers of the bits are those of the processors' manuals; __builtin_cpu_supports of older compilers does not know all.
Features detect_features() {
  Features found;
  uint32_t eax, ebx, ecx, edx;
  const auto has = [](uint32_t bits, std::initializer_list<int> wanted) {
    for (const int bit : wanted) {
      if (!(bits >> bit & 1)) return false;
    }
    return true;
  };
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !has(ecx, {27, 28})) return found;  // OSXSAVE, AVX
  const bool fma = has(ecx, {12});
  const uint32_t saved = saved_registers();
  if (!has(saved, {1, 2}) || !__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) return found;
  found.avx2 = fma && has(ebx, {5});
  found.avx512 = found.avx2 && has(saved, {5, 6, 7}) && has(ebx, {16, 17, 30, 31});
  const bool tiles = has(saved, {17, 18}) && has(edx, {22, 24});
  const uint32_t last_subleaf = eax;
  if (last_subleaf >= 1 && __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx)) found.bf16 = found.avx512 && has(eax, {5});
  found.amx = found.bf16 && tiles && may_use_tiles();
  // Intel's processors make bfloat16 products fast in tiles; their vdpbf16ps was seen to take longer than two
  // multiplications of floats. The rule asks for the maker alone, so a machine takes the same path each time.
  char maker[13] = {};
  if (__get_cpuid(0, &eax, &ebx, &ecx, &edx)) {
    memcpy(maker, &ebx, 4);
    memcpy(maker + 4, &edx, 4);
    memcpy(maker + 8, &ecx, 4);
  }
  found.fast_bf16 = found.bf16 && strcmp(maker, "GenuineIntel") != 0;
  return found;
}

#else

Features detect_features() { return {}; }

#endif

const Features& features() {
  static const Features found = detect_features();
  return found;
}

bool is_there(CpuPath path) {
  switch (path) {
    case CpuPath::kPortable:
      return true;
    case CpuPath::kAvx2:
      return features().avx2;
    case CpuPath::kAvx512:
      return features().avx512;
    case CpuPath::kAvx512Bf16:
      return features().bf16;
    case CpuPath::kAmx:
#if defined(GATELM_EMULATE_AMX)
      return features().bf16;
#else
      return features().amx;
#endif
  }
  return false;
}

CpuPath chosen_path() {
  const char* wanted = std::getenv("GATELM_CPU");
  for (const CpuPath path : kCpuPaths) {
    if (wanted && std::strcmp(wanted, cpu_path_name(path)) == 0 && is_there(path)) return path;
  }
  return best_cpu_path();
}

}  // namespace

CpuPath best_cpu_path() {
  if (is_there(CpuPath::kAmx)) return CpuPath::kAmx;
  if (features().fast_bf16) return CpuPath::kAvx512Bf16;
  if (is_there(CpuPath::kAvx512)) return CpuPath::kAvx512;
  return is_there(CpuPath::kAvx2) ? CpuPath::kAvx2 : CpuPath::kPortable;
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
