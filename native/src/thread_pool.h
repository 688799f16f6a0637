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

// One thread of a team at work. What it does depends on (index, size) alone, so that results are the same each time.
struct Member {
  int index;
  int size;
  Barrier& barrier;  // of this team
};

// Threads of one kernel: GATELM_THREADS, else TF_NUM_INTRAOP_THREADS, else the number of processors.
int team_size();

// While one is alive, its thread alone has the team and the Workspace; others wait, unless teams have one thread: then each has
// its own. A kernel begins with it.
class TeamTurn {
 public:
  TeamTurn();
  ~TeamTurn();
  TeamTurn(const TeamTurn&) = delete;
  TeamTurn& operator=(const TeamTurn&) = delete;
};

// Runs body on every thread of the team, the calling one among them, and returns when all are done.
void run_team(const std::function<void(const Member&)>& body);

// The same for work that is shared out without barriers, `count` items in multiples of `grain`. So little work that
// waking the others takes longer is done by the calling thread alone.
struct Range {
  long begin;
  long end;
};
void run_shared(long count, long grain, const std::function<void(Range)>& body);

// The part of `count` items that a member takes: [begin, end), in multiples of `grain`.
Range share(long count, int index, int size, long grain = 1);
inline Range share(long count, const Member& member, long grain = 1) {
  return share(count, member.index, member.size, grain);
}

}  // namespace gatelm
