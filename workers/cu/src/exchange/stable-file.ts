import { lstat } from 'node:fs/promises';

/**
 * Watches one file until it has not changed for a while. Time is measured here alone: the clock of a network share may
 * be another one, so a file's times are only compared with each other.
 */
export class StableFile {
  readonly #path: string;
  readonly #stableMs: number;
  readonly #alsoEmpty: boolean;
  #seen: { fingerprint: string; sinceMs: number } | undefined;
  #state: 'missing' | 'empty' | 'growing' = 'missing';

  constructor(path: string, stableMs: number, content: 'needs-content' | 'also-empty' = 'needs-content') {
    this.#path = path;
    this.#stableMs = stableMs;
    this.#alsoEmpty = content === 'also-empty';
  }

  /** What the last look found, short of being stable. */
  get state(): 'missing' | 'empty' | 'growing' {
    return this.#state;
  }

  /** Looks again; true when the file has content (or need not) and did not change for `stableMs`. */
  async isStable(nowMs: number): Promise<boolean> {
    const found = await lstat(this.#path, { bigint: true }).catch(() => undefined);
    if (!found) {
      this.#seen = undefined;
      this.#state = 'missing';
      return false;
    }
    this.#state = found.size === 0n ? 'empty' : 'growing';
    const fingerprint = `${found.ino}:${found.size}:${found.mtimeNs}`;
    if (this.#seen?.fingerprint !== fingerprint) this.#seen = { fingerprint, sinceMs: nowMs };
    return (found.size > 0n || this.#alsoEmpty) && nowMs - this.#seen.sinceMs >= this.#stableMs;
  }
}
