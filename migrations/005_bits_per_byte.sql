-- Bits per byte with unknown text charged for: comparable between tokenizers, which perplexities are not.

ALTER TABLE experiments ADD COLUMN best_valid_bits_per_byte REAL;
ALTER TABLE experiments ADD COLUMN test_bits_per_byte REAL;
