#include "library_pages.h"

#if defined(__linux__)
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#endif

namespace gatelm {

#if defined(__linux__)
namespace {

constexpr char kLibrary[] = "/libtensorflow";

// A mapping of the library that nobody has written on since it was read from the file, relocations included.
struct Mapping {
  unsigned long begin = 0, end = 0;
  bool is_library = false;

  void read_head(const char* line) {
    char permissions[5] = "";
    is_library = sscanf(line, "%lx-%lx %4s", &begin, &end, permissions) == 3 && permissions[0] == 'r' &&
                 permissions[1] == '-' && strstr(line, kLibrary) != nullptr;
  }

  void release() const { madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED); }
};

}  // namespace

void release_library_pages() {
  FILE* const maps = fopen("/proc/self/smaps", "r");
  if (!maps) return;
  char line[4096];
  Mapping mapping;
  while (fgets(line, sizeof line, maps)) {
    unsigned long begin, end, kilobytes;
    if (sscanf(line, "%lx-%lx ", &begin, &end) == 2 && strchr(line, '-') < strchr(line, ' ')) {
      mapping.read_head(line);
    } else if (mapping.is_library && sscanf(line, "Private_Dirty: %lu kB", &kilobytes) == 1) {
      // Pages that were written on exist nowhere else.
      if (kilobytes == 0) mapping.release();
      mapping.is_library = false;
    }
  }
  fclose(maps);
}
#else
void release_library_pages() {}
#endif

}  // namespace gatelm
