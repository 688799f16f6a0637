// An addon of its own, without libtensorflow, so that it can be loaded before that: gives back memory that only the start of a
// process needed.
#include <node_api.h>

#if defined(__linux__)
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#endif

namespace {

#if defined(__linux__)
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
      if (kilobytes == 0) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
      is_candidate = false;
    }
  }
  fclose(maps);
}
#else
void release_file_pages() {}
#endif

napi_value release(napi_env, napi_callback_info) {
  release_file_pages();
  return nullptr;
}

}  // namespace

// Exports { release }.
NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "release", NAPI_AUTO_LENGTH, release, nullptr, &function);
  napi_set_named_property(env, exports, "release", function);
  return exports;
}
