// An addon of its own, without libtensorflow, so that it can be loaded before that: gives back memory that only the start of a
// process needed.
#include <node_api.h>

#if defined(__linux__)
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <atomic>
#include <chrono>
#include <thread>
#endif

namespace {

#if defined(__linux__)
void give_back(unsigned long begin, unsigned long end) {
  madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

// Pages of programs and libraries as they are in their files: libtensorflow alone reads a quarter of a gigabyte while it is
// loaded, most of it once. What is needed again comes back from the file by itself. Mappings on which somebody has written,
// relocations included, stay: what was written exists nowhere else.
void release_file_pages() {
  FILE* const maps = fopen("/proc/self/smaps", "r");
  if (!maps) return;
  char line[4096], permissions[5];
  unsigned long begin = 0, end = 0, from, to, kilobytes;
  bool is_candidate = false;
  while (fgets(line, sizeof line, maps)) {
    if (sscanf(line, "%lx-%lx %4s", &from, &to, permissions) == 3) {
      begin = from;
      end = to;
      is_candidate = permissions[0] == 'r' && permissions[1] == '-' && strchr(line, '/') != nullptr;
    } else if (is_candidate && sscanf(line, "Private_Dirty: %lu kB", &kilobytes) == 1) {
      if (kilobytes == 0) give_back(begin, end);
      is_candidate = false;
    }
  }
  fclose(maps);
}

// The machine code of libtensorflow, on which nobody writes.
void release_code() {
  FILE* const maps = fopen("/proc/self/maps", "r");
  if (!maps) return;
  char line[4096], permissions[5];
  unsigned long begin, end;
  while (fgets(line, sizeof line, maps)) {
    const bool is_code =
        sscanf(line, "%lx-%lx %4s", &begin, &end, permissions) == 3 && strcmp(permissions, "r-xp") == 0;
    if (is_code && strstr(line, "/libtensorflow")) give_back(begin, end);
  }
  fclose(maps);
}

// While anybody loads, a thread gives the code back every few milliseconds, so that never all of it is there: its start runs
// through most of it, once. Nobody waits for the thread: a process may end while it loads.
std::atomic<int> loads{0};

void begin_loading() {
  if (loads.fetch_add(1) > 0) return;
  std::thread([] {
    for (; loads > 0; std::this_thread::sleep_for(std::chrono::milliseconds(5))) release_code();
  }).detach();
}

void end_loading() {
  loads.fetch_sub(1);
  release_file_pages();
}
#else
void release_file_pages() {}
void begin_loading() {}
void end_loading() {}
#endif

template <void (*Function)()>
napi_value call(napi_env, napi_callback_info) {
  Function();
  return nullptr;
}

void export_function(napi_env env, napi_value exports, const char* name, napi_callback callback) {
  napi_value function;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
  napi_set_named_property(env, exports, name, function);
}

}  // namespace

// Exports { release, beginLoading, endLoading }.
NAPI_MODULE_INIT() {
  export_function(env, exports, "release", call<release_file_pages>);
  export_function(env, exports, "beginLoading", call<begin_loading>);
  export_function(env, exports, "endLoading", call<end_loading>);
  return exports;
}
