/** The longest that a revoked key may still be accepted. */
export const KEY_CACHE_TTL_MS = 5_000;
const MAX_ENTRIES = 10_000;

/**
 * Keeps looked-up keys for a few seconds, so that a request does not cost a database round trip and a revocation still
 * takes effect within `ttlMs`. Only found keys are kept: a new key works at once, and guessing fills nothing.
 * Concurrent look-ups of one key share one query.
 */
export class KeyCache<Owner> {
  readonly #lookUp: (hash: string) => Promise<Owner | null>;
  readonly #ttlMs: number;
  readonly #now: () => number;
  readonly #found = new Map<string, { owner: Owner; untilMs: number }>();
  readonly #running = new Map<string, Promise<Owner | null>>();

  constructor(options: { lookUp: (hash: string) => Promise<Owner | null>; ttlMs?: number; now?: () => number }) {
    this.#lookUp = options.lookUp;
    this.#ttlMs = options.ttlMs ?? KEY_CACHE_TTL_MS;
    this.#now = options.now ?? Date.now;
  }

  /** The owner of the key with this hash; null when there is none or it was revoked. */
  async find(hash: string): Promise<Owner | null> {
    const kept = this.#found.get(hash);
    if (kept && kept.untilMs > this.#now()) return kept.owner;
    const running = this.#running.get(hash) ?? this.#start(hash);
    return running;
  }

  #start(hash: string): Promise<Owner | null> {
    const untilMs = this.#now() + this.#ttlMs;
    const running = this.#lookUp(hash)
      .then((owner) => {
        this.#found.delete(hash);
        if (owner !== null) this.#found.set(hash, { owner, untilMs });
        const oldest = this.#found.size > MAX_ENTRIES ? this.#found.keys().next().value : undefined;
        if (oldest !== undefined) this.#found.delete(oldest);
        return owner;
      })
      .finally(() => this.#running.delete(hash));
    this.#running.set(hash, running);
    return running;
  }
}
