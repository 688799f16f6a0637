// What the processor offers, and which of it is used.
#pragma once

namespace gatelm {

enum class CpuPath { kPortable, kAvx2, kAvx512, kAvx512Bf16, kAmx };

// The best path of this processor.
CpuPath best_cpu_path();

// The best one, or the one named by GATELM_CPU (portable, avx2, avx512, avx512bf16, amx) where the processor has it. The
// same for the life of the process.
CpuPath cpu_path();

const char* cpu_path_name(CpuPath path);

}  // namespace gatelm
