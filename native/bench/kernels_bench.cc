// The kernels alone, without Node and TensorFlow: the steps of whole models, against what large products reach on the same
// processors. kernels_bench [--workload PART_OF_A_NAME] [--precision float32|bfloat16] [--seconds PER_LINE] [--clock wall|cpu]
// With --clock cpu the processor's time of all threads is measured, shared out among them: on a busy machine.
// GATELM_THREADS, GATELM_CPU: as for the kernels.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "cpu.h"
#include "gemm.h"
#include "isa.h"
#include "model.h"
#include "thread_pool.h"

namespace gatelm_bench {
namespace {

struct Workload {
  const char* name;
  enum Kind { kTrain, kEvaluate, kGenerate } kind;
  ModelShape shape;
};

const Workload kWorkloads[] = {
    {"train 100x1 V10000 N20 T35", Workload::kTrain, {1, 100, 10000, 20, 35}},
    {"train 256x1 V100 N32 T64", Workload::kTrain, {1, 256, 100, 32, 64}},
    {"train 128x1 V2000 N20 T35", Workload::kTrain, {1, 128, 2000, 20, 35}},
    {"train 512x1 V2000 N32 T64", Workload::kTrain, {1, 512, 2000, 32, 64}},
    {"train 512x2 V100 N64 T128", Workload::kTrain, {2, 512, 100, 64, 128}},
    {"train 650x2 V10000 N20 T35", Workload::kTrain, {2, 650, 10000, 20, 35}},
    {"evaluate 650x2 V10000 N10 T35", Workload::kEvaluate, {2, 650, 10000, 10, 35}},
    {"generate 650x2 V10000 N1", Workload::kGenerate, {2, 650, 10000, 1, 1}},
    {"generate 650x2 V10000 N128", Workload::kGenerate, {2, 650, 10000, 128, 1}},
    {"generate 256x1 V100 N1", Workload::kGenerate, {1, 256, 100, 1, 1}},
};

bool cpu_clock = false;

double seconds_now() {
  if (!cpu_clock) return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (now.tv_sec + 1e-9 * now.tv_nsec) / gatelm::team_size();
}

// Seconds of the fastest of the runs that fit into the time: what the machine can do while nobody else has it.
double fastest(double seconds, const std::function<void()>& body) {
  body();
  double best = 1e300;
  const double end = seconds_now() + seconds;
  for (int runs = 0; runs < 3 || seconds_now() < end; runs++) {
    const double begin = seconds_now();
    body();
    best = std::min(best, seconds_now() - begin);
  }
  return best;
}

// GFLOP/s of a product of large square matrices.
double product_limit(bool bf16, double seconds) {
  constexpr long kSize = 2048;
  const Floats a(kSize * kSize, 0.5f), b(kSize * kSize, 0.25f);
  Floats c(kSize * kSize);
  const gatelm::Gemm gemm(bf16);
  const double best = fastest(seconds, [&] {
    const gatelm::TeamTurn turn;
    gatelm::run_team([&](const gatelm::Member& member) {
      gatelm::multiply(gemm,
                       {kSize, kSize, kSize, gatelm::row_major(a.data(), kSize), gatelm::row_major(b.data(), kSize),
                        c.data(), kSize},
                       member);
    });
  });
  return 2e-9 * kSize * kSize * kSize / best;
}

// Floating-point operations of the products, for a token.
double operations(const Workload& workload) {
  const double H = workload.shape.hidden, products = workload.shape.layers * 8 * H * H + H * workload.shape.vocabulary;
  return 2 * products * (workload.kind == Workload::kTrain ? 3 : 1);
}

void run_workload(const Workload& workload, bool bf16, double seconds, double limit) {
  Model model(workload.shape, bf16);
  double best = 0;
  switch (workload.kind) {
    case Workload::kTrain:
      best = fastest(seconds, [&] { model.train(); });
      break;
    case Workload::kEvaluate:
      model.pack();
      best = fastest(seconds, [&] { model.evaluate(); });
      break;
    case Workload::kGenerate:
      model.pack();
      best = fastest(seconds, [&] { model.generate(); });
      break;
  }
  const double tokens = static_cast<double>(workload.shape.batch) * workload.shape.time / best;
  const double gflops = 1e-9 * operations(workload) * tokens;
  printf("%-32s %-8s %12.0f tokens/s %8.1f GFLOP/s %5.1f %%\n", workload.name, bf16 ? "bfloat16" : "float32", tokens, gflops,
         100 * gflops / limit);
  fflush(stdout);
}

}  // namespace

int run(int count, char** arguments) {
  std::string part, precision;
  double seconds = 1;
  for (int i = 1; i < count; i += 2) {
    const std::string name = arguments[i];
    const char* value = i + 1 < count ? arguments[i + 1] : nullptr;
    if (name == "--workload" && value) {
      part = value;
    } else if (name == "--precision" && value && (!strcmp(value, "float32") || !strcmp(value, "bfloat16"))) {
      precision = value;
    } else if (name == "--seconds" && value && atof(value) > 0) {
      seconds = atof(value);
    } else if (name == "--clock" && value && (!strcmp(value, "wall") || !strcmp(value, "cpu"))) {
      cpu_clock = !strcmp(value, "cpu");
    } else {
      fprintf(stderr,
              "usage: kernels_bench [--workload PART_OF_A_NAME] [--precision float32|bfloat16] [--seconds PER_LINE] "
              "[--clock wall|cpu]\n");
      return 2;
    }
  }
  printf("%s, %d threads\n", gatelm::cpu_path_name(gatelm::cpu_path()), gatelm::team_size());
  for (const bool bf16 : {false, true}) {
    if (!precision.empty() && (precision == "bfloat16") != bf16) continue;
    if (bf16 && gatelm::isa().bfloat16.max_mr == 0) continue;
    const double limit = product_limit(bf16, seconds);
    printf("%-32s %-8s %30.1f GFLOP/s\n", "product 2048 x 2048 x 2048", bf16 ? "bfloat16" : "float32", limit);
    for (const Workload& workload : kWorkloads) {
      if (strstr(workload.name, part.c_str())) run_workload(workload, bf16, seconds, limit);
    }
  }
  return 0;
}

}  // namespace gatelm_bench

int main(int count, char** arguments) { return gatelm_bench::run(count, arguments); }
