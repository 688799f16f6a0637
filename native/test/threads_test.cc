// Rows, masks, and callers that come at the same time.
#include <algorithm>
#include <thread>

#include "check.h"
#include "isa.h"
#include "lstm.h"
#include "rows.h"
#include "tests.h"

using namespace gatelm;

namespace gatelm_test {

void test_rows_and_masks() {
  const std::vector<int32_t> ids = {5, 2, 5, 0, 2, 5};
  for (long width : {1L, 15L, 16L, 33L}) {
    const Floats rows = random_floats(static_cast<long>(ids.size()) * width, 1);
    const RowIndex index = index_rows(ids.data(), ids.size());
    expect(index.ids == std::vector<int32_t>({5, 2, 0}), "ids in the order of their first appearance");
    Floats sums(index.ids.size() * width);
    sum_rows(index, rows.data(), width, sums.data());
    for (long d = 0; d < width; d++) {
      expect(sums[width + d] == rows[width + d] + rows[4 * width + d], "rows of equal ids are summed");
    }
    Floats table(6 * width, 1.0f);
    add_rows(table.data(), ids.data(), rows.data(), ids.size(), width, -0.5f);
    expect(fabs(table[0] - (1 - 0.5f * rows[3 * width])) < 1e-6, "rows are added with their factor");
    expect(table[3 * width] == 1.0f, "other rows stay");
  }
  // A mask does not depend on where a thread begins, and repeats after its period.
  const uint32_t key[4] = {1, 2, 3, 4};
  const Floats ones(1000, 1.0f);
  Floats whole(1000), part(1000);
  for (long period : {1000L, 77L, 3L}) {
    isa().dropout(0, 1000, ones.data(), whole.data(), key, 1u << 31, 2.0f, period);
    isa().dropout(333, 667, ones.data() + 333, part.data() + 333, key, 1u << 31, 2.0f, period);
    expect(std::equal(whole.begin() + 333, whole.end(), part.begin() + 333), "a mask does not depend on its beginning");
    for (long i = period; i < 1000; i++) expect(whole[i] == whole[i - period], "a mask repeats after its period");
  }
}

void test_threads() {
  const LstmShape shape{6, 5, 9, 20};
  const long steps = shape.time * shape.batch * shape.hidden;
  const Floats x = random_floats(6 * 5 * 9, 1), state = random_floats(5 * 20, 2), wx = random_floats(9 * 80, 3);
  const Floats wh = random_floats(20 * 80, 4), b = random_floats(80, 5);
  // All that a step leaves: the hidden states and the gradients.
  const auto run = [&](Floats* result) {
    Floats hiddens(steps), cells(steps), gates(4 * steps), hidden(5 * 20), cell(5 * 20);
    lstm_forward({shape, false, x.data(), state.data(), state.data(), wx.data(), wh.data(), b.data(), hiddens.data(),
                  cells.data(), gates.data(), hidden.data(), cell.data()});
    Floats dx(x.size()), d_wx(wx.size()), d_wh(wh.size()), d_b(b.size()), d_hidden(hidden.size()), d_cell(cell.size());
    lstm_backward({shape, false, hiddens.data(), x.data(), state.data(), state.data(), wx.data(), wh.data(), hiddens.data(),
                   cells.data(), gates.data(), dx.data(), d_wx.data(), d_wh.data(), d_b.data(), d_hidden.data(), d_cell.data()});
    *result = hiddens;
    for (const Floats* part : {&dx, &d_wx, &d_wh, &d_b, &d_hidden, &d_cell}) {
      result->insert(result->end(), part->begin(), part->end());
    }
  };
  Floats alone;
  run(&alone);
  std::vector<std::thread> callers;
  std::vector<Floats> results(8);
  for (Floats& result : results) {
    callers.emplace_back([&run, &result] {
      for (int i = 0; i < 20; i++) run(&result);
    });
  }
  for (std::thread& caller : callers) caller.join();
  for (const Floats& result : results) expect(result == alone, "callers at the same time get the same bits");
}

}  // namespace gatelm_test
