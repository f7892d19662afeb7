export interface SilenceOptions {
  /** How long a live worker may be unheard of. */
  holdMs: number;
}

/** The database that did not answer for so long kept workers from being heard, too. */
const GAP_MS = 5000;
/** With reports unread for so long, an end that was reported may look like a lost run. */
const BEHIND_MS = 10_000;

/**
 * Whether it means anything that workers are not heard of. It does not while their reports pile up unread, nor for a
 * while after the database was away: their heartbeats could not be written either, and giving up what they hold would
 * make everything run twice.
 */
export class Silence {
  readonly #holdMs: number;
  #answeredAt: number | undefined;
  #deafUntil = 0;
  /** Unknown at the start: all replicas may have been down, and ends may have piled up meanwhile. */
  #readAt: number | undefined;

  constructor({ holdMs }: SilenceOptions) {
    this.#holdMs = holdMs;
  }

  /** The database answers; to be told much more often than a gap is long. */
  answered(now: number): void {
    const gapMs = Math.max(GAP_MS, this.#holdMs / 3);
    if (this.#answeredAt !== undefined && now - this.#answeredAt > gapMs) this.#deafUntil = now + this.#holdMs;
    this.#answeredAt = now;
  }

  /** All reports that were there have been applied. */
  read(now: number): void {
    this.#readAt = now;
  }

  proves(now: number): boolean {
    return now >= this.#deafUntil && this.#readAt !== undefined && now - this.#readAt < BEHIND_MS;
  }
}
