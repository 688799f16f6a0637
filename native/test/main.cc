// Tests of the inner code without TensorFlow and Node, for sanitizers. run.sh builds and runs them for each path.
#include <stdlib.h>

#include "check.h"
#include "cpu.h"
#include "tests.h"
#include "thread_pool.h"

int main() {
  const char *wanted = getenv("GATELM_CPU"), *path = gatelm::cpu_path_name(gatelm::cpu_path());
  if (wanted && strcmp(wanted, path) != 0) {
    printf("%s: this processor has not got it\n", wanted);
    return 0;
  }
  gatelm_test::test_products();
  gatelm_test::test_lstm();
  gatelm_test::test_cells();
  gatelm_test::test_softmax_loss();
  gatelm_test::test_rows_and_masks();
  gatelm_test::test_threads();
  gatelm_test::test_top_logits();
  const unsigned long long digest = gatelm_test::digest_of_kernels(), cells = gatelm_test::digest_of_cells();
  printf("%s, %d threads: %s, digest %016llx, of the cells %016llx\n", path, gatelm::team_size(),
         gatelm_test::failures ? "FAILED" : "all agree", digest, cells);
  return gatelm_test::failures ? 1 : 0;
}
