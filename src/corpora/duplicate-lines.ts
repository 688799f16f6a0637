/** Shorter lines, such as closing brackets, are ignored. */
const MIN_LINE_BYTES = 40;
/** Lines of train that are remembered at most; of more, a part stands for all. */
const MAX_LINES = 1_000_000;

/**
 * Finds the lines of valid and test that train has too. Train comes first. Where it has more different lines than are kept in
 * memory, only those whose hash is divisible by a growing power of two are looked at, on both sides: the shares are then
 * estimates.
 */
export class DuplicateLines {
  readonly #hashes = new Set<number>();
  readonly #maxLines: number;
  #every = 1;

  constructor(maxLines = MAX_LINES) {
    this.#maxLines = maxLines;
  }

  /** @param text whole lines of train */
  addTrain(text: string): void {
    forEachLine(text, (line) => {
      const hash = hashOf(line);
      if (hash % this.#every !== 0) return;
      this.#hashes.add(hash);
      if (this.#hashes.size > this.#maxLines) this.#thinOut();
    });
  }

  /** Counts another split, piece by piece. */
  counter(): { add(text: string): void; share(): number } {
    let [bytes, duplicateBytes] = [0, 0];
    return {
      add: (text) =>
        forEachLine(
          text,
          (line) => {
            const hash = hashOf(line);
            if (hash % this.#every !== 0) return;
            const length = Buffer.byteLength(line);
            bytes += length;
            if (this.#hashes.has(hash)) duplicateBytes += length;
          },
          0,
        ),
      share: () => (bytes === 0 ? 0 : duplicateBytes / bytes),
    };
  }

  #thinOut(): void {
    this.#every *= 2;
    for (const hash of this.#hashes) if (hash % this.#every !== 0) this.#hashes.delete(hash);
  }
}

function forEachLine(text: string, visit: (line: string) => void, least = MIN_LINE_BYTES): void {
  for (const line of text.split('\n')) {
    const trimmed = line.trim();
    if (trimmed.length > 0 && Buffer.byteLength(trimmed) >= least) visit(trimmed);
  }
}

/** 53 bits of two rounds of FNV-1a over UTF-16 units; collisions among a million lines are unlikely. */
function hashOf(line: string): number {
  let [a, b] = [0x811c9dc5, 0x1000193];
  for (let i = 0; i < line.length; i++) {
    const code = line.charCodeAt(i);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ code, 0x85ebca6b);
    b ^= b >>> 13;
  }
  a ^= a >>> 15;
  return (b >>> 0) * 0x200000 + (a >>> 11);
}
