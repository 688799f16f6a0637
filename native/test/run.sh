#!/bin/sh
# Builds the native tests and runs them for every path of the processor. run.sh [plain|address|thread|valgrind|amx]
# amx: the path of AMX, with its tiles emulated, under AddressSanitizer; on a processor that has AVX512-BF16.
set -eu
kind=${1:-plain}
here=$(cd "$(dirname "$0")" && pwd)
out=$here/../build/test-$kind
mkdir -p "$out"
flags='-std=c++17 -O2 -g -Wall -Wextra -Wno-psabi -Wno-maybe-uninitialized'
runner=''
case $kind in
  plain) ;;
  amx) flags="$flags -DGATELM_EMULATE_AMX -fsanitize=address,undefined -fno-sanitize-recover=all"; GATELM_CPU=amx ;;
  address) flags="$flags -fsanitize=address,undefined -fno-sanitize-recover=all" ;;
  thread) flags="$flags -fsanitize=thread" ;;
  valgrind) runner='valgrind -q --error-exitcode=1 --leak-check=full --errors-for-leak-kinds=definite'; GATELM_CPU=${GATELM_CPU:-portable avx2} ;;  # it knows no AVX-512
  *) echo "run.sh: plain, address, thread, valgrind or amx, not $kind" >&2; exit 2 ;;
esac
sources="cpu gate_weights gemm isa_amx isa_avx2 isa_avx512 isa_avx512_bf16 isa_portable lstm_backward lstm_forward rows softmax_loss
  softmax_loss_backward thread_pool top_logits"
for name in $sources; do echo "$here/../src/$name.cc"; done > "$out/sources"
ls "$here"/*.cc >> "$out/sources"
# shellcheck disable=SC2086
xargs -P 2 -I{} sh -c 'g++ '"$flags"' -I'"$here/../src"' -I'"$here"' -c {} -o '"$out"'/$(basename {} .cc).o' < "$out/sources"
# shellcheck disable=SC2086
g++ $flags "$out"/*.o -o "$out/kernels_test" -pthread
for cpu in ${GATELM_CPU:-portable avx2 avx512 avx512bf16 amx}; do  # a path that is missing: the best one again
  for threads in 1 2 3; do
    GATELM_CPU=$cpu GATELM_THREADS=$threads $runner "$out/kernels_test"
  done
done
