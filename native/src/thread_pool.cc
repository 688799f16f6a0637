#include "thread_pool.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <vector>

namespace gatelm {
namespace {

constexpr int kMaxThreads = 64;
// Turns of waiting before a thread gives its processor away. Within a kernel the waits are of microseconds, unless
// another process has the processor that the thread waited for needs.
constexpr int kBarrierSpins = 1000;
// Between two kernels of a training step: some 20 µs at once, then about half a millisecond in which everybody else goes
// first, then it sleeps. Waking takes about 50 µs.
constexpr int kIdleSpins = 500;
constexpr std::chrono::microseconds kIdleTime{500};
// Items of work, about one floating-point number each, that one thread does sooner than two.
constexpr long kTooLittle = 1 << 14;

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

class Team {
 public:
  explicit Team(int size) : size_(size), barrier_(size) {
    for (int index = 1; index < size; index++) {
      std::thread([this, index] { work(index); }).detach();
    }
  }

  int size() const { return size_; }

  std::recursive_mutex& turn() { return turn_; }

  void run(const std::function<void(const Member&)>& body) {
    std::lock_guard<std::recursive_mutex> turn(turn_);
    body_ = &body;
    remaining_.store(size_ - 1, std::memory_order_relaxed);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      generation_.fetch_add(1, std::memory_order_release);
    }
    wake_.notify_all();
    body({0, size_, barrier_});
    for (int spins = 0; remaining_.load(std::memory_order_acquire) > 0; spins++) {
      if (spins > kBarrierSpins) std::this_thread::yield();
      pause();
    }
  }

 private:
  void work(int index) {
    unsigned seen = 0;
    for (;;) {
      seen = wait_for_work(seen);
      (*body_)({index, size_, barrier_});
      remaining_.fetch_sub(1, std::memory_order_release);
    }
  }

  unsigned wait_for_work(unsigned seen) {
    for (int spins = 0; spins < kIdleSpins; spins++) {
      const unsigned now = generation_.load(std::memory_order_acquire);
      if (now != seen) return now;
      pause();
    }
    for (const auto end = std::chrono::steady_clock::now() + kIdleTime; std::chrono::steady_clock::now() < end;) {
      const unsigned now = generation_.load(std::memory_order_acquire);
      if (now != seen) return now;
      std::this_thread::yield();
    }
    std::unique_lock<std::mutex> lock(mutex_);
    wake_.wait(lock, [&] { return generation_.load(std::memory_order_acquire) != seen; });
    return generation_.load(std::memory_order_acquire);
  }

  const int size_;
  Barrier barrier_;
  std::recursive_mutex turn_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<unsigned> generation_{0};
  std::atomic<int> remaining_{0};
  const std::function<void(const Member&)>* body_ = nullptr;
};

int configured_size() {
  for (const char* name : {"GATELM_THREADS", "TF_NUM_INTRAOP_THREADS"}) {
    const char* value = std::getenv(name);
    const int count = value ? std::atoi(value) : 0;
    if (count > 0) return std::min(count, kMaxThreads);
  }
  return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kMaxThreads);
}

// A team of one is the thread that calls. Each of these has its own, so that trainings in threads of one process, a thread each,
// do not wait for each other.
Team& team() {
  static const int size = configured_size();
  if (size == 1) {
    thread_local Team alone(1);
    return alone;
  }
  static Team* const instance = new Team(size);  // its threads end with the process
  return *instance;
}

}  // namespace

void Barrier::wait() {
  if (count_ == 1) return;
  const unsigned generation = generation_.load(std::memory_order_acquire);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == count_) {
    arrived_.store(0, std::memory_order_relaxed);
    generation_.store(generation + 1, std::memory_order_release);
    return;
  }
  for (int spins = 0; generation_.load(std::memory_order_acquire) == generation; spins++) {
    if (spins > kBarrierSpins) std::this_thread::yield();
    pause();
  }
}

int team_size() { return team().size(); }

TeamTurn::TeamTurn() { team().turn().lock(); }

TeamTurn::~TeamTurn() { team().turn().unlock(); }

void run_team(const std::function<void(const Member&)>& body) { team().run(body); }

void run_shared(long count, long grain, const std::function<void(Range)>& body) {
  if (count <= kTooLittle) return body({0, count});
  run_team([&](const Member& member) { body(share(count, member, grain)); });
}

Range share(long count, int index, int size, long grain) {
  const long grains = (count + grain - 1) / grain;
  const long begin = grains * index / size * grain;
  const long end = grains * (index + 1) / size * grain;
  return {std::min(begin, count), std::min(end, count)};
}

}  // namespace gatelm
