#!/bin/sh
# Builds the native tests with each compiler that is there, runs them for each path of the processor, and compares the
# digests: the same path and threads must give the same bits whatever the compiler. run.sh [plain|address|thread|valgrind]
# address and thread emulate the tiles of AMX: a sanitizer sees no tile instruction, and AVX512-BF16 is enough for them then.
# CXX="g++ clang++" names the compilers, GATELM_CPU="avx2 avx512" the paths, GATELM_THREADS="1 2" the threads.
# GATELM_BUILD_DIR: where the programs go.
set -eu
kind=${1:-plain}
here=$(cd "$(dirname "$0")" && pwd)
build=${GATELM_BUILD_DIR:-$here/../build}
paths=${GATELM_CPU:-portable avx2 avx512 avx512bf16 amx} # those that the processor has are run
threads=${GATELM_THREADS:-1 2 3}
flags='-std=c++17 -ffp-contract=off -g1 -Wall -Wextra -Wno-psabi'
optimize=-O1 # sanitizers take four times as long to compile with -O2
runner=''
checks='' # of the kernels; the plain loops that they are compared with would take most of the time
case $kind in
  plain) optimize=-O3 ;; # as node-gyp builds them
  address) flags="$flags -DGATELM_EMULATE_AMX"; checks='-fsanitize=address,undefined -fno-sanitize-recover=all' ;;
  thread) flags="$flags -DGATELM_EMULATE_AMX -fsanitize=thread" ;;
  valgrind) runner='valgrind -q --error-exitcode=1 --leak-check=full --errors-for-leak-kinds=definite'; paths=${GATELM_CPU:-portable avx2} ;; # it knows no AVX-512
  *) echo "run.sh: plain, address, thread or valgrind, not $kind" >&2; exit 2 ;;
esac
sources="cpu gate_weights gemm gru_backward gru_forward isa_amx isa_avx2 isa_avx512 isa_avx512_bf16 isa_portable lstm_backward lstm_forward mogrifier_backward mogrifier_forward rows softmax_loss
  softmax_loss_backward softmax_loss_few_words thread_pool top_logits"

# Each compiler once, by its version: g++ may be g++-12.
compilers() {
  for name in ${CXX:-g++ g++-11 g++-12 g++-13 g++-14 g++-15 clang++ clang++-14 clang++-15 clang++-16 clang++-17 clang++-18 clang++-19 clang++-20}; do
    if command -v "$name" > /dev/null; then echo "$(readlink -f "$(command -v "$name")") $name"; fi
  done | sort -u -k 1,1 | cut -d ' ' -f 2
}

# build COMPILER OUT; what was built from the same sources stays.
build() {
  quiet=-Wno-maybe-uninitialized
  case $("$1" --version) in
    *clang*) quiet=-Wno-deprecated-declarations ;; # of an older libstdc++
  esac
  key=$({ "$1" --version; echo "$flags $optimize $checks"; cat "$here"/*.* "$here"/../src/*; } | cksum)
  if [ "$(cat "$2/key" 2> /dev/null)" = "$key" ]; then return; fi
  rm -rf "$2"
  mkdir -p "$2"
  for name in $sources; do echo "$optimize $checks '$here/../src/$name.cc'"; done > "$2/sources"
  for file in "$here"/*.cc; do echo "-O2 '$file'"; done >> "$2/sources"
  # shellcheck disable=SC2086
  (cd "$2" && xargs -P 2 -L 1 "$1" $flags $quiet -I"$here/../src" -I"$here" -c < sources)
  # shellcheck disable=SC2086
  "$1" $flags $checks "$2"/*.o -o "$2/kernels_test" -pthread
  echo "$key" > "$2/key"
}

mkdir -p "$build"
found=''
first=''
for compiler in $(compilers); do
  out=$build/test-$kind-$compiler
  found=yes
  echo "$compiler, $kind"
  # shellcheck disable=SC2086
  if ! echo 'int main() {}' | "$compiler" $flags $checks -x c++ - -o "$build/test-probe" 2> /dev/null; then
    echo "$compiler has no library for this here" # clang's sanitizers are a package of their own
    continue
  fi
  build "$compiler" "$out"
  for cpu in $paths; do
    for count in $threads; do
      GATELM_CPU=$cpu GATELM_THREADS=$count $runner "$out/kernels_test"
    done
  done > "$out/report" || { cat "$out/report"; exit 1; }
  cat "$out/report"
  if [ "$(sed -n 's/^\([a-z0-9]*\), .*of the cells/\1/p' "$out/report" | sort -u | cut -d ' ' -f 1 | uniq -d)" ]; then
    echo "run.sh: the bits of the cells depend on the number of threads" >&2
    exit 1
  fi
  if [ -n "$first" ] && ! diff "$build/test-$kind-$first/report" "$out/report"; then
    echo "run.sh: $compiler and $first give different bits" >&2
    exit 1
  fi
  first=${first:-$compiler}
done
[ -n "$found" ] || { echo 'run.sh: no C++ compiler was found' >&2; exit 1; }
