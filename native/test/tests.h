#pragma once

namespace gatelm_test {

void test_products();
void test_lstm();
void test_softmax_loss();
void test_rows_and_masks();
void test_threads();
void test_top_logits();

}  // namespace gatelm_test
