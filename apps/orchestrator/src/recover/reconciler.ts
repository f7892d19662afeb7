import type { JobQueues } from '@connecta/queue';
import type { Logger } from '@connecta/runtime';
import type { Timers } from '@connecta/domain';
import { countOpenAttempts, findOpenAttempts, listWorkerTypes, type Store } from '@connecta/store';
import type { FoundAttempt } from '../engine/move-attempts.ts';
import { reconcileType } from './reconcile-type.ts';

/** Every so many looks all ids are compared, even where the counts agree. */
const FULL_EVERY = 6;

export interface ReconcilerOptions {
  store: Store;
  queues: JobQueues;
  log: Logger;
  timers: Timers;
  /** Moves attempts on and sends what follows. */
  apply: (found: FoundAttempt[]) => Promise<void>;
  /** How long an attempt must be missing: longer than an event may lie unread in a dead reader's hands. */
  missingMs?: number;
  /** The most attempts of one type that one look compares. */
  limit?: number;
}

/** What is known before a type is looked at. */
interface Circumstances {
  /** Attempts that the database has in these states. */
  invoked: number;
  queued: number;
  /** Compare all ids, even where the counts agree. */
  full: boolean;
  silenceProves: boolean;
}

/**
 * Keeps the queues equal to the database: what was lost on the way is sent again, what no longer counts is taken out.
 * Its memory of earlier looks is a convenience: losing it only delays a recovery.
 */
export class Reconciler {
  readonly #options: Required<ReconcilerOptions>;
  readonly #missingSince = new Map<string, Map<string, number>>();
  #looks = 0;

  constructor(options: ReconcilerOptions) {
    this.#options = { missingMs: 20_000, limit: 20_000, ...options };
  }

  /**
   * One look at every type. A type whose queue does not answer is passed over: nothing is decided without it. With
   * `silenceProves` false, the time that attempts have been missing begins anew: their ends may lie unread.
   */
  async tick(silenceProves: boolean): Promise<void> {
    const { store, log } = this.#options;
    if (!silenceProves) this.#missingSince.clear();
    const full = this.#looks++ % FULL_EVERY === 0;
    const open = new Map((await countOpenAttempts(store)).map((row) => [row.workerType, row]));
    for (const type of await listWorkerTypes(store)) {
      const { invoked, queued } = open.get(type) ?? { invoked: 0, queued: 0 };
      try {
        while (await this.#look(type, { invoked, queued, full, silenceProves }));
      } catch (error) {
        log.warn({ err: error, type }, 'a queue could not be compared with the database');
      }
    }
  }

  /** True when a store that was emptied has not got everything again: the oldest are sent first, look by look. */
  async #look(type: string, { invoked, queued, full, silenceProves }: Circumstances): Promise<boolean> {
    const { store, queues, log, timers, missingMs, limit } = this.#options;
    const marker = await queues.hasMarker(type);
    const counts = await queues.counts(type);
    // What a dead worker took still counts in the queue: only where no worker has anything do counts that agree tell all.
    const quiet = marker && invoked === 0 && counts.active === 0 && counts.waiting === queued;
    if (quiet && !full && !this.#missingSince.get(type)?.size) return false;
    const ids = await queues.ids(type);
    const attempts = await findOpenAttempts(store, type, limit);
    const { found, missingSince, stray } = reconcileType({
      attempts,
      queue: { waiting: new Set(ids.waiting), active: new Set(ids.active) },
      marker,
      missingSince: this.#missingSince.get(type) ?? new Map(),
      now: Date.now(),
      timers,
      missingMs,
      silenceProves,
    });
    this.#missingSince.set(type, missingSince);
    const again = found.filter(({ finding }) => finding.kind !== 'queued').length;
    if (again > 0) log.warn({ type, attempts: again, marker }, 'attempts were lost on the way and are sent again');
    await this.#options.apply(found);
    // With more attempts than one look reads, what looks stray may only be unread.
    if (stray.length > 0 && attempts.length < limit) await queues.remove(type, stray);
    if (marker) return false;
    if (again > 0 && attempts.length >= limit) return true;
    await queues.setMarker(type);
    return false;
  }
}
