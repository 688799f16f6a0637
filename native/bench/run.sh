#!/bin/sh
# Builds the benchmark of the kernels alone and runs it; needs a C++ compiler and nothing else. Options: kernels_bench.cc.
# CXX names the compiler, GATELM_BUILD_DIR the folder in which the program goes.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${GATELM_BUILD_DIR:-$here/../build}/bench
compiler=${CXX:-$(command -v g++ || command -v clang++ || echo c++)}
mkdir -p "$out"
for name in cpu gate_weights gemm gru_backward gru_forward isa_amx isa_avx2 isa_avx512 isa_avx512_bf16 isa_portable lstm_backward lstm_forward mogrifier_backward mogrifier_forward rows \
  softmax_loss softmax_loss_backward softmax_loss_few_words thread_pool top_logits; do echo "$here/../src/$name.cc"; done > "$out/sources"
ls "$here"/*.cc >> "$out/sources"
xargs -P 2 -I{} sh -c "$compiler -std=c++17 -O3 -ffp-contract=off -Wno-psabi -I'$here/../src' -I'$here' -c '{}' -o '$out'/\$(basename '{}' .cc).o" < "$out/sources"
# shellcheck disable=SC2086
$compiler "$out"/*.o -o "$out/kernels_bench" -pthread
"$out/kernels_bench" "$@"
