#include <math.h>

#include <algorithm>
#include <vector>

#include "double_math.h"
#include "gemm.h"
#include "softmax_loss.h"

namespace gatelm {
namespace {

// Bytes of the packed exponentials that are held at once; longer batches are cut into chunks of rows.
constexpr long kMostBytes = 64 << 20;
// Words of a block. With fewer, dhᵀ is read and written more often than W is.
constexpr long kBlockWords = 512;
// Exponentials that all units read before the next ones come.
constexpr long kNearBytes = 256 << 10;
// Exponentials of logits this far from the row's shift are still numbers, and so are sums of them.
constexpr float kFar = 60;
// Up to this many words for each unit, and logits in all, making them row by row is faster (measured with V 100 to 2,048).
constexpr long kFewWords = 4, kMostLogits = 8 << 20;

// What is known of a row of the chunk. Its softmax is exp(x − shift) / sum; the shifts stand side by side.
struct Row {
  float logit = 0;        // of the target
  float exponential = 0;  // of the target
  float factor = 0;       // of its exponentials, to make them dLogits
  float target = 0;       // the target's dLogit
};

// What one thread saw of the rows: a sum and a maximum each.
struct Seen {
  std::vector<double> sums;
  std::vector<float> most;
  bool too_far = false;
};

// The logits are made as W·hᵀ, tile by tile. A tile's exponentials are packed while they are near, twice: with words as
// rows, for dW = E·(factor · h) later, and with words as depth, for their share of dhᵀ = Wᵀ·E, made a block of words
// after the other. So no [M, V] tensor of logits exists, and the sums need not be known before. dLogits of the targets are
// of another kind (p − 1): they are added to both by themselves, in float32.
class Chunk {
 public:
  Chunk(const SoftmaxLoss& job, const Gemm& gemm, float scale, float* dh, float* dw, float* db)
      : job_(job), gemm_(gemm), scale_(scale), dh_(dh), dw_(dw), db_(db), seen_(team_size()) {
    const long V = job.vocabulary, H = job.hidden;
    const int mr = gemm.panel_rows(V, gemm.k_grain());  // words are k in dhᵀ
    const long row_bytes = packed_b_bytes(gemm, gemm.nr(), V) / gemm.nr();
    most_rows_ = std::max(1L, std::min((job.rows + gemm.nr() - 1) / gemm.nr(), kMostBytes / row_bytes / gemm.nr())) *
                 gemm.nr();
    w_by_word_ = a_panels(Workspace::kPackedWeights, V, mr, H);
    w_by_unit_ = a_panels(Workspace::kPackedB, H, gemm.panel_rows(H), V);
    e_by_word_ = a_panels(Workspace::kPackedA, V, mr, most_rows_);
    block_panels_ = std::min(kBlockWords / mr, w_by_word_.count);
    e_block_bytes_ = packed_b_bytes(gemm, gemm.nr(), block_panels_ * mr);
    e_blocks_ = Workspace::bytes(Workspace::kRows, team_size() * e_block_bytes_);
    h_ = b_panels(Workspace::kStepA, most_rows_, H);
    scaled_h_ = b_panels(Workspace::kStepB, H + 1, most_rows_);
    scaled_rows_ = Workspace::floats(Workspace::kSums, most_rows_ * (H + 1));
    d_units_ = Workspace::floats(Workspace::kLogits, team_size() * most_rows_ * H);
    for (Seen& seen : seen_) {
      seen.sums.resize(most_rows_);
      seen.most.resize(most_rows_);
    }
    rows_.resize(most_rows_);
    shifts_.resize(most_rows_);
  }

  long most_rows() const { return most_rows_; }

  void run(long begin, long count, const Member& member) {
    const long H = job_.hidden;
    const Range mine = share(count, member);
    const Panels h = gemm_.b_panels(h_.data, count, H);
    for (long m = mine.begin; m < mine.end; m++) rows_[m] = Row(), shifts_[m] = 0;
    pack_all_b(gemm_, transposed(job_.h + begin * H, H), count, H, const_cast<char*>(h.data), member);
    member.barrier.wait();
    do {  // a second time where a row's logits are far from 0
      make_exponentials(begin, count, h, member);
      member.barrier.wait();
      finish_rows(begin, mine, member);
      member.barrier.wait();
    } while (std::any_of(seen_.begin(), seen_.end(), [](const Seen& seen) { return seen.too_far; }));
    pack_all_b(gemm_, row_major(scaled_rows_, H + 1), H + 1, count, const_cast<char*>(scaled_h_.data), member);
    member.barrier.wait();
    make_dw(begin, count, member);
    make_dh(begin, count, member);
    member.barrier.wait();
  }

 private:
  Panels a_panels(Workspace::Slot slot, long rows, int mr, long depth) const {
    return gemm_.a_panels(Workspace::bytes(slot, gemm_.bytes(gemm_.a_panels(nullptr, rows, mr, depth))), rows, mr, depth);
  }

  Panels b_panels(Workspace::Slot slot, long columns, long depth) const {
    return gemm_.b_panels(Workspace::bytes(slot, packed_b_bytes(gemm_, columns, depth)), columns, depth);
  }

  // Packs some panels of words, for both products that read them.
  void pack_weights(Range panels) const {
    const long H = job_.hidden, mr = w_by_word_.width, first = panels.begin * mr;
    const long count = std::min(job_.vocabulary, panels.end * mr) - first;
    const float* w = job_.w + first * H;
    for (long p = panels.begin; p < panels.end; p++) {
      const float *next = w + (p + 1 - panels.begin) * mr * H, *end = std::min(next + mr * H, w + count * H);
      for (; next < end; next += 16) __builtin_prefetch(next, 0, 2);
      gemm_.pack_a(w_by_word_, p, row_major(job_.w, H), job_.vocabulary, H);
    }
    for (long p = 0; p < w_by_unit_.count; p++) {
      gemm_.pack_a_slice(w_by_unit_, p, transposed(w, H), H, first, count);
    }
  }

  // A thread's words, for all rows of the chunk: their exponentials, and their part of dhᵀ.
  void make_exponentials(long begin, long count, const Panels& h, const Member& member) {
    const long V = job_.vocabulary, H = job_.hidden;
    const int nr = gemm_.nr(), mr = w_by_word_.width;
    Seen& seen = seen_[member.index];
    std::fill_n(seen.sums.begin(), count, 0.0);
    std::fill_n(seen.most.begin(), count, -INFINITY);
    float* d_units = d_units_of(member.index);
    const Range words = share(w_by_word_.count, member);
    if (words.begin == words.end) std::fill_n(d_units, count * H, 0.0f);
    for (long p = words.begin; p < words.end; p += block_panels_) {
      const Range panels{p, std::min(p + block_panels_, words.end)};
      const long first = p * mr, depth = std::min(V, panels.end * mr) - first;
      const Panels w_units = gemm_.from_k(w_by_unit_, first);
      const Panels e = gemm_.b_panels(e_blocks_ + member.index * e_block_bytes_, nr, depth);
      if (begin == 0) pack_weights(panels);
      for (long q = 0; q < h.count; q++) {
        make_block(begin, count, h, panels, q, e, seen);
        const long row = q * nr;
        gemm_.multiply(w_units, {0, w_units.count}, e, {0, 1}, H, std::min<long>(nr, count - row), depth, d_units + row,
                       count, p > words.begin);
      }
    }
  }

  // The exponentials of some panels of words and the q-th panel of rows. @param block those words as depth
  void make_block(long begin, long count, const Panels& h, Range panels, long q, const Panels& block, Seen& seen) {
    const long V = job_.vocabulary;
    const int nr = gemm_.nr(), mr = w_by_word_.width;
    const Panels by_word = gemm_.a_panels(e_by_word_.data, V, mr, count);
    const long row = q * nr, rows_here = std::min<long>(nr, count - row);
    // The targets among these words: few.
    const int32_t* targets = job_.targets + begin + row;
    long hits[64], hit_count = 0;
    const long first = panels.begin * mr, end = panels.end * mr;
    for (long m = 0; m < rows_here; m++) {
      hits[hit_count] = m;
      hit_count += targets[m] >= first && targets[m] < end;
    }
    gemm_.for_each_tile(w_by_word_, panels, h, {q, q + 1}, count, job_.hidden, [&](long p, long, float* tile) {
      const long word = p * mr, words_here = std::min<long>(mr, V - word);
      const auto for_each_hit = [&](auto&& body) {
        for (long i = 0; i < hit_count; i++) {
          const long m = hits[i], w = targets[m] - word;
          if (w >= 0 && w < words_here) body(m, w);
        }
      };
      for_each_hit([&](long m, long w) { rows_[row + m].logit = tile[w * nr + m] + job_.b[word + w]; });
      const float* bias = job_.b + word;
      float *shift = &shifts_[row], *most = &seen.most[row];
      const long depth = word - first;
      const bool at_once = gemm_.packs_exponentials(words_here, rows_here, mr);
      if (at_once) {
        gemm_.exp_and_pack({tile, bias, shift, &seen.sums[row], most}, by_word, p, row, block, depth);
      } else {
        isa().exp_tile(words_here, rows_here, tile, bias, shift, &seen.sums[row], most);
      }
      for_each_hit([&](long m, long w) {
        rows_[row + m].exponential = tile[w * nr + m];
        if (at_once) {
          gemm_.clear(by_word, p, w, row + m);
          gemm_.clear(block, 0, m, depth + w);
        } else {
          tile[w * nr + m] = 0;
        }
      });
      if (at_once) return;
      gemm_.pack_a_slice(by_word, p, row_major(tile - word * nr, nr), V, row, rows_here);
      gemm_.pack_b_slice(block, 0, row_major(tile, nr), rows_here, depth, words_here);
    });
  }

  // Losses, factors and scaled rows of h; new shifts where the old ones were too far away.
  void finish_rows(long begin, Range mine, const Member& member) {
    const long H = job_.hidden;
    bool too_far = false;
    for (long m = mine.begin; m < mine.end; m++) {
      Row& row = rows_[m];
      double sum = 0;
      float most = -INFINITY;
      for (const Seen& seen : seen_) {
        sum += seen.sums[m];
        most = std::max(most, seen.most[m]);
      }
      if (!isfinite(most)) sum = NAN;
      if (isfinite(most) && fabsf(most - shifts_[m]) > kFar) {
        shifts_[m] = most;
        too_far = true;
      }
      // Where it can be, from the very number in the sum: a probability near 1 keeps its small loss.
      const bool is_far = fabsf(row.logit - shifts_[m]) > kFar;
      const double loss =
          is_far ? shifts_[m] - static_cast<double>(row.logit) + logarithm(sum) : logarithm(sum / row.exponential);
      job_.losses[begin + m] = static_cast<float>(loss);
      row.factor = static_cast<float>(scale_ / sum);
      row.target = static_cast<float>((row.exponential / sum - 1) * scale_);
      const float* h = job_.h + (begin + m) * H;
      float* scaled = scaled_rows_ + m * (H + 1);
      for (long k = 0; k < H; k++) scaled[k] = h[k] * row.factor;
      scaled[H] = row.factor;  // for db
    }
    seen_[member.index].too_far = too_far;
  }

  // dW and db (+)= E · (factor · [h, 1]) of a thread's words.
  void make_dw(long begin, long count, const Member& member) {
    const long V = job_.vocabulary, H = job_.hidden;
    const int mr = w_by_word_.width;
    const Panels e = gemm_.a_panels(e_by_word_.data, V, mr, count);
    const Panels h = gemm_.b_panels(scaled_h_.data, H + 1, count);
    const Range panels = share(e.count, member);
    const long last = h.count - 1, first_unit = last * h.width, units = H - first_unit;
    const long together = std::max(1L, kNearBytes / e.bytes);
    for (long p = panels.begin; p < panels.end; p += together) {
      const Range some{p, std::min(p + together, panels.end)};
      gemm_.multiply(e, some, h, {0, last}, V, H, count, dw_, H, begin > 0);
      gemm_.for_each_last_tile(e, some, h, last, H + 1, count, [&](long p, const MatrixView& tile) {
        for (long w = 0; w < std::min<long>(mr, V - p * mr); w++) {
          const auto put = [&](float& to, long k) {
            const float sum = tile.data[w * tile.row_stride + k * tile.column_stride];
            to = begin > 0 ? to + sum : sum;
          };
          const long word = p * mr + w;
          for (long k = 0; k < units; k++) put(dw_[word * H + first_unit + k], k);
          put(db_[word], units);
        }
      });
    }
    const Range words{panels.begin * mr, std::min(V, panels.end * mr)};
    for (long m = 0; m < count; m++) {
      const long target = job_.targets[begin + m];
      if (target < words.begin || target >= words.end) continue;
      isa().add_scaled(H, job_.h + (begin + m) * H, rows_[m].target, dw_ + target * H);
      db_[target] += rows_[m].target;
    }
  }

  // dh of a thread's rows: what all threads have of dhᵀ, turned round.
  void make_dh(long begin, long count, const Member& member) {
    const long H = job_.hidden;
    constexpr long kBlock = 16;  // rows turned round at once: a cache line of each unit
    const Range mine = share(count, member, kBlock);
    for (long block = mine.begin; block < mine.end; block += kBlock) {
      const long block_end = std::min(block + kBlock, mine.end);
      for (long k = 0; k < H; k++) {
        for (long m = block; m < block_end; m++) {
          float sum = 0;
          for (int part = 0; part < member.size; part++) sum += d_units_of(part)[k * count + m];
          dh_[(begin + m) * H + k] = sum * rows_[m].factor;
        }
      }
      for (long m = block; m < block_end; m++) {
        isa().add_scaled(H, job_.w + job_.targets[begin + m] * H, rows_[m].target, dh_ + (begin + m) * H);
      }
    }
  }

  // A thread's part of dhᵀ / factor, [H, rows].
  float* d_units_of(int member) const { return d_units_ + member * most_rows_ * job_.hidden; }

  const SoftmaxLoss& job_;
  const Gemm& gemm_;
  const float scale_;
  float *const dh_, *const dw_, *const db_;
  long most_rows_;
  Panels w_by_word_, w_by_unit_, e_by_word_, h_, scaled_h_;
  long block_panels_;  // panels of words in a block
  long e_block_bytes_;
  char* e_blocks_;      // by thread
  float* scaled_rows_;  // [rows, H + 1]
  float* d_units_;      // by thread
  std::vector<Row> rows_;
  std::vector<float> shifts_;
  std::vector<Seen> seen_;  // by thread
};

}  // namespace

void softmax_loss_backward_many_words(const SoftmaxLoss& job, float scale, float* dh, float* dw, float* db) {
  const TeamTurn turn;
  const Gemm gemm(job.bf16);
  Chunk chunk(job, gemm, scale, dh, dw, db);
  run_team([&](const Member& member) {
    for (long begin = 0; begin < job.rows; begin += chunk.most_rows()) {
      chunk.run(begin, std::min(chunk.most_rows(), job.rows - begin), member);
    }
  });
}

void softmax_loss_backward(const SoftmaxLoss& job, float scale, float* dh, float* dw, float* db) {
  const bool few = job.vocabulary <= kFewWords * job.hidden && job.rows * job.vocabulary <= kMostLogits;
  (few ? softmax_loss_backward_few_words : softmax_loss_backward_many_words)(job, scale, dh, dw, db);
}

}  // namespace gatelm
