#include <string.h>

#include <algorithm>

#include "gemm.h"
#include "lstm.h"

namespace gatelm {

namespace {

// The four gates one after another, each [H, H] in panels of its own: a thread owns all gates of its units.
void pack_wh_share(const float* wh, long hidden, bool bf16, void* out, int index, int size) {
  for (int gate = 0; gate < 4; gate++) {
    char* to = static_cast<char*>(out) + gate * packed_b_bytes(hidden, hidden, bf16);
    pack_b_all(row_major(wh + gate * hidden, 4 * hidden), hidden, hidden, bf16, to, index, size);
  }
}

}  // namespace

long packed_wx_bytes(long input, long hidden, bool bf16) { return packed_b_bytes(4 * hidden, input, bf16); }

long packed_wh_bytes(long hidden, bool bf16) { return 4 * packed_b_bytes(hidden, hidden, bf16); }

void pack_wx(const float* wx, long input, long hidden, bool bf16, void* out) {
  run_team([&](int index, int size) {
    pack_b_all(row_major(wx, 4 * hidden), 4 * hidden, input, bf16, out, index, size);
  });
}

void pack_wh(const float* wh, long hidden, bool bf16, void* out) {
  run_team([&](int index, int size) { pack_wh_share(wh, hidden, bf16, out, index, size); });
}

// x·Wx + b of all steps is one product into `gates`. Then step by step: gates += hidden·Wh, nonlinearities. A thread
// owns a range of units: all four gates of them, so that one barrier a step is enough. Wh is packed once.
void lstm_forward(const LstmForward& job) {
  const auto [T, N, D, H] = job.shape;
  const long gates_width = 4 * H;
  const int nr = isa().nr, mr = panel_rows(N);
  const long unit_panels = (H + nr - 1) / nr, row_panels = (N + mr - 1) / mr;
  const long wh_bytes = panel_bytes(nr, H, job.bf16), h_bytes = panel_bytes(mr, H, job.bf16);
  const bool pack = !job.packed_wh;
  void* fresh_wh = pack ? Workspace::floats(Workspace::kPackedWeights, packed_wh_bytes(H, job.bf16) / 4) : nullptr;
  const char* packed_wh = static_cast<const char*>(pack ? fresh_wh : job.packed_wh);
  char* packed_h[2];
  packed_h[0] = reinterpret_cast<char*>(Workspace::floats(Workspace::kStepA, row_panels * h_bytes / 4));
  packed_h[1] = reinterpret_cast<char*>(Workspace::floats(Workspace::kStepB, row_panels * h_bytes / 4));
  Barrier barrier(team_size());

  run_team([&](int index, int size) {
    const Range rows = share(T * N, index, size);
    for (long m = rows.begin; m < rows.end; m++) {
      memcpy(job.gates + m * gates_width, job.b, sizeof(float) * gates_width);
    }
    multiply({T * N, gates_width, D, row_major(job.x, D), row_major(job.wx, gates_width), job.gates, gates_width, true,
              job.packed_wx},
             job.bf16, index, size, barrier);
    if (pack) pack_wh_share(job.wh, H, job.bf16, fresh_wh, index, size);

    const Range panels = share(unit_panels, index, size);
    const long first = std::min(H, panels.begin * nr), last = std::min(H, panels.end * nr);
    const Range row_share = share(row_panels, index, size);

    for (long t = 0; t < T; t++) {
      const float* hidden = t == 0 ? job.hidden0 : job.hiddens + (t - 1) * N * H;
      const float* cell = t == 0 ? job.cell0 : job.cells + (t - 1) * N * H;
      char* packed = packed_h[t % 2];
      for (long p = row_share.begin; p < row_share.end; p++) {
        pack_a_panel(row_major(hidden, H), p, N, mr, H, job.bf16, packed + p * h_bytes);
      }
      barrier.wait();
      float* z = job.gates + t * N * gates_width;
      const Panels a{packed, mr, row_panels, h_bytes, job.bf16};
      for (int gate = 0; gate < 4; gate++) {
        const Panels b{packed_wh + gate * unit_panels * wh_bytes, nr, unit_panels, wh_bytes, job.bf16};
        multiply_panels(a, {0, row_panels}, b, panels, N, H, H, z + gate * H, gates_width, true);
      }
      for (long n = 0; n < N && first < last; n++) {
        const long at = t * N * H + n * H + first;
        isa().gates_forward(last - first, z + n * gates_width + first, H, cell + n * H + first, job.cells + at,
                            job.hiddens + at);
      }
      barrier.wait();
    }
  });
}

}  // namespace gatelm
