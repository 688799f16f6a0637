// What the processor offers, and which of it is used.
#pragma once

namespace gatelm {

enum class CpuPath { kPortable, kAvx2, kAvx512, kAvx512Bf16, kAmx };
constexpr CpuPath kCpuPaths[] = {CpuPath::kPortable, CpuPath::kAvx2, CpuPath::kAvx512, CpuPath::kAvx512Bf16, CpuPath::kAmx};

// The path that this processor takes by itself: AMX where it is, AVX512-BF16 where it is fast, else the widest vectors. A rule,
// not a measurement: results depend on the path, and a machine must give the same ones after a restart.
CpuPath best_cpu_path();

// The best one, or the one named by GATELM_CPU (portable, avx2, avx512, avx512bf16, amx) where the processor has it. The
// same for the life of the process.
CpuPath cpu_path();

const char* cpu_path_name(CpuPath path);

}  // namespace gatelm
