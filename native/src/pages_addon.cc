// An addon of its own, without libtensorflow, so that it can be loaded before that: gives back memory that only the start of a
// process needed.
#include <node_api.h>

#if defined(__linux__)
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>
#endif

namespace {

#if defined(__linux__)
struct Range {
  uintptr_t begin, end;
};

struct Search {
  const char* name;    // part of an object's name; null = all
  unsigned int flags;  // what a segment must have, PF_X or 0
  std::vector<Range> found;
};

// The whole pages of an object's segments that nobody may write to. Relocations are written to others.
int add_segments(dl_phdr_info* info, size_t, void* data) {
  Search* const search = static_cast<Search*>(data);
  if (search->name && !strstr(info->dlpi_name, search->name)) return 0;
  const uintptr_t page = sysconf(_SC_PAGESIZE);
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) & segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || segment.p_flags & PF_W || ~segment.p_flags & search->flags) continue;
    const uintptr_t from = info->dlpi_addr + segment.p_vaddr;
    search->found.push_back({(from + page - 1) / page * page, (from + segment.p_memsz) / page * page});
  }
  return 0;
}

// Gives back pages of programs and libraries as they are in their files: libtensorflow alone reads a quarter of a gigabyte
// while it is loaded, most of it once. What is needed again comes back from the file by itself. What a mapping may be written
// to is not known from the mapping: while another thread loads a library, the whole of it is mapped for reading first. So
// only what the library itself says that nobody writes to is given back, and only where a file is mapped.
void release(const char* name, unsigned int flags) {
  Search search{name, flags, {}};
  dl_iterate_phdr(add_segments, &search);
  FILE* const maps = fopen("/proc/self/maps", "r");
  if (!maps) return;
  char line[4096], permissions[5];
  unsigned long begin, end;
  while (fgets(line, sizeof line, maps)) {
    if (sscanf(line, "%lx-%lx %4s", &begin, &end, permissions) != 3) continue;
    if (permissions[0] != 'r' || permissions[1] != '-' || !strchr(line, '/')) continue;
    for (const Range& segment : search.found) {
      const uintptr_t from = std::max<uintptr_t>(begin, segment.begin), to = std::min<uintptr_t>(end, segment.end);
      if (from < to) madvise(reinterpret_cast<void*>(from), to - from, MADV_DONTNEED);
    }
  }
  fclose(maps);
}

void release_file_pages() { release(nullptr, 0); }

// While anybody loads, a thread gives the code back every few milliseconds, so that never all of it is there: its start runs
// through most of it, once. The code alone: its symbols and relocations are read again and again, and a load that has to
// fetch them anew each time takes twenty times as long. Nobody waits for the thread: a process may end while it loads.
std::atomic<int> loads{0};

void begin_loading() {
  if (loads.fetch_add(1) > 0) return;
  std::thread([] {
    for (; loads > 0; std::this_thread::sleep_for(std::chrono::milliseconds(5))) release("/libtensorflow", PF_X);
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
