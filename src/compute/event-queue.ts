/** Longest part of the queue that is given at once; other work is done before the next one. */
const MAX_BATCH = 100;

/** An unbounded FIFO queue between one producer and one consumer, who gets what has arrived in batches. */
export class EventQueue<Item> implements AsyncIterable<readonly Item[]> {
  readonly #items: Item[] = [];
  #ended = false;
  #wake: (() => void) | null = null;

  push(item: Item): void {
    if (this.#ended) return;
    this.#items.push(item);
    this.#wake?.();
  }

  /** Marks the end; items pushed before are still delivered. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly Item[]> {
    for (;;) {
      const items = this.#items.splice(0, MAX_BATCH);
      if (items.length > 0) yield items;
      if (items.length === MAX_BATCH) await new Promise((resume) => setImmediate(resume));
      if (this.#items.length > 0) continue;
      if (this.#ended) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
  }
}
