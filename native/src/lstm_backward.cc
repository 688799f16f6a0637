#include <string.h>

#include <algorithm>

#include "gemm.h"
#include "lstm.h"

namespace gatelm {

// Step by step from the last: dHidden = dOutput + dZ of the step after · Whᵀ; dZ from the gates. A thread owns a range
// of units. dWx, dWh and dx are one product each, after the loop.
void lstm_backward(const LstmBackward& job) {
  const auto [T, N, D, H] = job.shape;
  const long gates_width = 4 * H;
  const int nr = isa().nr, mr = panel_rows(N);
  const long unit_panels = (H + nr - 1) / nr, row_panels = (N + mr - 1) / mr;
  const long wh_bytes = panel_bytes(nr, gates_width, job.bf16), z_bytes = panel_bytes(mr, gates_width, job.bf16);
  char* packed_wh =
      reinterpret_cast<char*>(Workspace::floats(Workspace::kPackedWeights, unit_panels * wh_bytes / 4));
  char* packed_z = reinterpret_cast<char*>(Workspace::floats(Workspace::kStepA, row_panels * z_bytes / 4));
  float* dz = Workspace::floats(Workspace::kRows, T * N * gates_width);
  float* d_hidden = job.d_hidden0;
  float* d_cell = job.d_cell0;
  Barrier barrier(team_size());

  run_team([&](int index, int size) {
    const Range panels = share(unit_panels, index, size);
    for (long q = panels.begin; q < panels.end; q++) {
      pack_b_panel(transposed(job.wh, gates_width), q, H, gates_width, job.bf16, packed_wh + q * wh_bytes);
    }
    const long first = std::min(H, panels.begin * nr), last = std::min(H, panels.end * nr);
    const long units = last - first;
    const Range row_share = share(row_panels, index, size);
    const Panels a{packed_z, mr, row_panels, z_bytes, job.bf16};
    const Panels b{packed_wh, nr, unit_panels, wh_bytes, job.bf16};
    for (long n = 0; n < N && units > 0; n++) memset(d_cell + n * H + first, 0, sizeof(float) * units);

    for (long t = T - 1; t >= 0; t--) {
      float* z = dz + t * N * gates_width;
      const float* previous_cell = t == 0 ? job.cell0 : job.cells + (t - 1) * N * H;
      for (long n = 0; n < N && units > 0; n++) {
        const long at = n * H + first, step = t * N * H + at;
        float* dh = d_hidden + at;
        if (t == T - 1) {
          memcpy(dh, job.d_hiddens + step, sizeof(float) * units);
        } else {
          isa().add(units, job.d_hiddens + step, dh);
        }
        isa().gates_backward(units, job.gates + (t * N + n) * gates_width + first, H, job.cells + step,
                             previous_cell + at, dh, d_cell + at, z + n * gates_width + first);
      }
      barrier.wait();
      for (long p = row_share.begin; p < row_share.end; p++) {
        pack_a_panel(row_major(z, gates_width), p, N, mr, gates_width, job.bf16, packed_z + p * z_bytes);
      }
      barrier.wait();
      multiply_panels(a, {0, row_panels}, b, panels, N, H, gates_width, d_hidden, H, false);
    }

    const Range columns = share(gates_width, index, size, 16);
    if (columns.begin < columns.end) {
      memset(job.d_b + columns.begin, 0, sizeof(float) * (columns.end - columns.begin));
      for (long m = 0; m < T * N; m++) {
        isa().add(columns.end - columns.begin, dz + m * gates_width + columns.begin, job.d_b + columns.begin);
      }
    }
    const MatrixView z_rows = row_major(dz, gates_width);
    multiply({T * N, D, gates_width, z_rows, transposed(job.wx, gates_width), job.dx, D, false}, job.bf16, index, size,
             barrier);
    multiply({D, gates_width, T * N, transposed(job.x, D), z_rows, job.d_wx, gates_width, false}, job.bf16, index,
             size, barrier);
    multiply({H, gates_width, N, transposed(job.hidden0, H), z_rows, job.d_wh, gates_width, false}, job.bf16, index,
             size, barrier);
    if (T > 1) {
      const MatrixView later = row_major(dz + N * gates_width, gates_width);
      multiply({H, gates_width, (T - 1) * N, transposed(job.hiddens, H), later, job.d_wh, gates_width, true}, job.bf16,
               index, size, barrier);
    }
  });
}

}  // namespace gatelm
