{
  # From this folder: where tfjs-node lies depends on whether gatelm is a checkout or an installed package.
  "variables": { "tfjs_deps%": "../node_modules/@tensorflow/tfjs-node/deps" },
  "targets": [
    {
      "target_name": "gatelm_kernels",
      "sources": [
        "src/addon.cc",
        "src/cpu.cc",
        "src/gate_weights.cc",
        "src/gemm.cc",
        "src/gru_backward.cc",
        "src/gru_forward.cc",
        "src/isa_amx.cc",
        "src/isa_avx2.cc",
        "src/isa_avx512.cc",
        "src/isa_avx512_bf16.cc",
        "src/isa_portable.cc",
        "src/lstm_backward.cc",
        "src/lstm_forward.cc",
        "src/mogrifier_backward.cc",
        "src/mogrifier_forward.cc",
        "src/ops_elementwise.cc",
        "src/ops_gru.cc",
        "src/ops_inference.cc",
        "src/ops_lstm.cc",
        "src/ops_mogrifier.cc",
        "src/ops_softmax.cc",
        "src/rows.cc",
        "src/softmax_loss.cc",
        "src/softmax_loss_backward.cc",
        "src/softmax_loss_few_words.cc",
        "src/tf_op.cc",
        "src/thread_pool.cc",
        "src/top_logits.cc"
      ],
      "include_dirs": ["<(tfjs_deps)/include"],
      "cflags_cc": ["-std=c++17", "-O3", "-ffp-contract=off", "-fno-exceptions", "-Wall", "-Wextra", "-Wno-psabi",
                   "-Wno-unknown-warning-option", "-Wno-maybe-uninitialized"],
      "cflags_cc!": ["-std=gnu++20", "-std=gnu++17"],
      "defines": ["NAPI_VERSION=8"],
      "libraries": [
        "-L<(module_root_dir)/<(tfjs_deps)/lib",
        "-l:libtensorflow.so.2",
        "-l:libtensorflow_framework.so.2"
      ],
      "ldflags": [
        "-Wl,-rpath,'$$ORIGIN/../../<(tfjs_deps)/lib'"
      ]
    },
    {
      "target_name": "gatelm_pages",
      "sources": ["src/pages_addon.cc"],
      "cflags_cc": ["-O2", "-fno-exceptions", "-Wall", "-Wextra"],
      "defines": ["NAPI_VERSION=8"]
    }
  ]
}
