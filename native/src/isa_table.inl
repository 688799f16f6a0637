// What does not depend on the elements of products, and the table of all functions of this target. Define
// BFLOAT16_PRODUCTS before where there are any.

#include "isa_elementwise.inl"
#include "isa_nonlinear.inl"
#include "isa_gates.inl"
#include "isa_exponentials.inl"
#include "isa_random.inl"

#ifndef BFLOAT16_PRODUCTS
#define BFLOAT16_PRODUCTS \
  { 0, 0, 0, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr }
#endif

namespace gatelm {

const Isa& ISA_TABLE() {
  using namespace ISA_NAMESPACE;
  static const Isa table = {
      kNr,
      {MAX_MR, 1, 4, pack_a_of<Float32>, pack_b_of<Float32>, multiply_tile<Float32>, nullptr, nullptr,
       EXP_AND_PACK(Float32), MULTIPLY_NARROW(Float32)},
      BFLOAT16_PRODUCTS,
      gates_forward,
      gates_backward,
      gru_forward,
      gru_backward,
      modulate,
      modulate_by_sum,
      modulate_backward,
      exp_row,
      exp_row_in_place,
      exp_tile,
      largest_of_blocks,
      dropout,
      sum_squares,
      add,
      scale,
      add_scaled,
      sgd,
      adapt,
      adam,
  };
  return table;
}

}  // namespace gatelm
