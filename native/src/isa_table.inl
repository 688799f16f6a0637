// The table of the functions in isa.inl; HAS_BF16 says whether the bfloat16 ones are there too.

namespace gatelm {

const Isa& ISA_TABLE() {
  using namespace ISA_NAMESPACE;
  static const Isa table = {
      MAX_MR,
      kNr,
#ifdef HAS_BF16
      true,
      pack_a,
      pack_b,
      pack_a_bf16,
      pack_b_bf16,
      tile,
      tile_bf16,
#else
      false,
      pack_a,
      pack_b,
      nullptr,
      nullptr,
      tile,
      nullptr,
#endif
      gates_forward,
      gates_backward,
      exp_row,
      scale_row,
      dropout,
      sum_squares,
      add,
      sgd,
      adam,
  };
  return table;
}

}  // namespace gatelm
