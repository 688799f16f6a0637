// AMX's tiles in plain C++, for a processor without them: the same layouts, the same products, float32 sums.
#pragma once

#include <stdint.h>
#include <string.h>

namespace gatelm_test {

struct Tiles {
  uint8_t rows[8];
  uint16_t line_bytes[8];
  uint8_t data[8][16][64];
};

inline thread_local Tiles tiles = {};

inline void load_config(const void* config) {
  const uint8_t* bytes = static_cast<const uint8_t*>(config);
  for (int i = 0; i < 8; i++) {
    memcpy(&tiles.line_bytes[i], bytes + 16 + 2 * i, 2);
    tiles.rows[i] = bytes[48 + i];
  }
  memset(tiles.data, 0, sizeof tiles.data);
}

inline void release() { memset(&tiles, 0, sizeof tiles); }

inline void zero(int tile) { memset(tiles.data[tile], 0, sizeof tiles.data[tile]); }

inline void load(int tile, const void* from, long stride) {
  zero(tile);
  for (int r = 0; r < tiles.rows[tile]; r++) {
    memcpy(tiles.data[tile][r], static_cast<const char*>(from) + r * stride, tiles.line_bytes[tile]);
  }
}

inline void save(int tile, void* to, long stride) {
  for (int r = 0; r < tiles.rows[tile]; r++) {
    memcpy(static_cast<char*>(to) + r * stride, tiles.data[tile][r], tiles.line_bytes[tile]);
  }
}

inline float widen(const uint8_t* bf16) {
  uint16_t half;
  memcpy(&half, bf16, 2);
  const uint32_t bits = static_cast<uint32_t>(half) << 16;
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

inline void multiply(int c, int a, int b) {
  for (int m = 0; m < tiles.rows[c]; m++) {
    for (int k = 0; k < tiles.line_bytes[a] / 4; k++) {
      for (int n = 0; n < tiles.line_bytes[c] / 4; n++) {
        float sum;
        memcpy(&sum, &tiles.data[c][m][4 * n], 4);
        for (int half = 0; half < 4; half += 2) {
          sum += widen(&tiles.data[a][m][4 * k + half]) * widen(&tiles.data[b][k][4 * n + half]);
        }
        memcpy(&tiles.data[c][m][4 * n], &sum, 4);
      }
    }
  }
}

}  // namespace gatelm_test

#undef _tile_loadconfig
#undef _tile_release
#undef _tile_zero
#undef _tile_loadd
#undef _tile_stored
#undef _tile_dpbf16ps
#define _tile_loadconfig gatelm_test::load_config
#define _tile_release gatelm_test::release
#define _tile_zero gatelm_test::zero
#define _tile_loadd gatelm_test::load
#define _tile_stored gatelm_test::save
#define _tile_dpbf16ps gatelm_test::multiply
