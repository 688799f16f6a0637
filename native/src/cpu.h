// What the processor offers, and which of it is used.
#pragma once

namespace gatelm {

enum class CpuPath { kPortable, kAvx2, kAvx512, kAvx512Bf16 };

// The best path of this processor, or the one named by GATELM_CPU (portable, avx2, avx512, avx512bf16) where the
// processor has it. The same for the life of the process.
CpuPath cpu_path();

const char* cpu_path_name(CpuPath path);

}  // namespace gatelm
