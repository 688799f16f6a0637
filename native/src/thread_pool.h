// A few threads that work on one kernel together, in step.
#pragma once

#include <atomic>
#include <functional>

namespace gatelm {

// Lets all threads of a team pass only when each has come. Spins: the waits are of microseconds.
class Barrier {
 public:
  explicit Barrier(int count) : count_(count) {}
  void wait();

 private:
  const int count_;
  std::atomic<int> arrived_{0};
  std::atomic<unsigned> generation_{0};
};

// Threads of one kernel: GATELM_THREADS, else TF_NUM_INTRAOP_THREADS, else the number of processors.
int team_size();

// Runs body(index, size) on every thread of the team, the calling one among them, and returns when all are done.
// One kernel at a time has the team; a second caller waits. What a thread does depends on (index, size) alone, so that
// results are the same each time.
void run_team(const std::function<void(int index, int size)>& body);

// The part of `count` items that thread `index` of `size` takes: [begin, end), in multiples of `grain`.
struct Range {
  long begin;
  long end;
};
Range share(long count, int index, int size, long grain = 1);

}  // namespace gatelm
