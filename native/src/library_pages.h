// Memory of libtensorflow that only its start needed.
#pragma once

namespace gatelm {

// Gives back the pages of libtensorflow's code and constants, as they are in its file: a quarter of a gigabyte, most of which is
// read once, while it is loaded. What is needed again comes back from the file by itself.
void release_library_pages();

}  // namespace gatelm
