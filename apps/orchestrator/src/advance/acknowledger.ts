import type { EventBatch } from '@connecta/queue';

/** Postgres writes out what it did not wait for within three times its `wal_writer_delay` of 200 ms. */
const ON_DISK_MS = 1_000;

/**
 * Acknowledges reports when what they led to is on disk: at once behind a commit that waited for it, for that wrote out
 * what came before as well, and a second late behind one that did not. Unacknowledged reports come again, and reports
 * that were applied change nothing.
 */
export class Acknowledger {
  #waiting: EventBatch[] = [];
  #timer: NodeJS.Timeout | undefined;

  add(batch: EventBatch, onDisk: boolean): void {
    this.#waiting.push(batch);
    if (onDisk) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), ON_DISK_MS);
  }

  /** Acknowledges what still waits. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const batches = this.#waiting;
    this.#waiting = [];
    for (const batch of batches) void batch.ack();
  }
}
