// Tests of the inner code without TensorFlow and Node, for sanitizers. run.sh builds and runs them for each path.
#include "check.h"
#include "cpu.h"
#include "tests.h"
#include "thread_pool.h"

int main() {
  gatelm_test::test_products();
  gatelm_test::test_lstm();
  gatelm_test::test_softmax_loss();
  gatelm_test::test_rows_and_masks();
  gatelm_test::test_threads();
  gatelm_test::test_top_logits();
  printf("%s, %d threads: %s\n", gatelm::cpu_path_name(gatelm::cpu_path()), gatelm::team_size(),
         gatelm_test::failures ? "FAILED" : "all agree");
  return gatelm_test::failures ? 1 : 0;
}
