#include <string.h>

#include <algorithm>

#include "gemm.h"
#include "lstm.h"

namespace gatelm {

// x·Wx + b of all steps is one product into `gates`. Then step by step: gates += hidden·Wh, nonlinearities. A thread
// owns a range of units: all four gates of them, so that one barrier a step is enough. Wh is packed once.
void lstm_forward(const LstmForward& job) {
  const auto [T, N, D, H] = job.shape;
  const long gates_width = 4 * H;
  const int nr = isa().nr, mr = panel_rows(N);
  const long unit_panels = (H + nr - 1) / nr, row_panels = (N + mr - 1) / mr;
  const long wh_bytes = panel_bytes(nr, H, job.bf16), h_bytes = panel_bytes(mr, H, job.bf16);
  char* packed_wh = reinterpret_cast<char*>(
      Workspace::floats(Workspace::kPackedWeights, 4 * unit_panels * wh_bytes / 4));
  char* packed_h[2];
  packed_h[0] = reinterpret_cast<char*>(Workspace::floats(Workspace::kStepA, row_panels * h_bytes / 4));
  packed_h[1] = reinterpret_cast<char*>(Workspace::floats(Workspace::kStepB, row_panels * h_bytes / 4));
  Barrier barrier(team_size());

  run_team([&](int index, int size) {
    const Range rows = share(T * N, index, size);
    for (long m = rows.begin; m < rows.end; m++) {
      memcpy(job.gates + m * gates_width, job.b, sizeof(float) * gates_width);
    }
    multiply({T * N, gates_width, D, row_major(job.x, D), row_major(job.wx, gates_width), job.gates, gates_width, true},
             job.bf16, index, size, barrier);

    const Range panels = share(unit_panels, index, size);
    for (int gate = 0; gate < 4; gate++) {
      const MatrixView wh = row_major(job.wh + gate * H, gates_width);
      for (long q = panels.begin; q < panels.end; q++) {
        pack_b_panel(wh, q, H, H, job.bf16, packed_wh + (gate * unit_panels + q) * wh_bytes);
      }
    }
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
