#pragma once

#include <stdint.h>

namespace gatelm_test {

void test_products();
void test_lstm();
void test_cells();
void test_softmax_loss();
void test_rows_and_masks();
void test_threads();
void test_top_logits();

// Depends on the path of the processor and on the number of threads, and on nothing else.
uint64_t digest_of_kernels();

// Depends on the path alone.
uint64_t digest_of_cells();

}  // namespace gatelm_test
