import { hostname } from 'node:os';
import { Problem, parseDeliveryId, type WorkerInstanceId } from '@connecta/contracts';
import { DEFAULT_TIMERS } from '@connecta/domain';
import type { JobQueues } from '@connecta/queue';
import {
  findClaims,
  recordClaims,
  tellRevoked,
  touchInstance,
  type Claim,
  type ClaimedDelivery,
  type Revoked,
  type Store,
} from '@connecta/store';
import { whyNot } from '../workers/why-not.ts';
import { ClaimDesk, type Taken } from './claim-desk.ts';

/** Claims that may wait at one replica. */
const MAX_WAITING = 2_000;

export interface ClaimRequest {
  workerId: WorkerInstanceId;
  workerType: string;
  requestId: string;
  slots: number;
  waitMs: number;
  /** Aborted when the caller went away: nothing is taken for it any more. */
  left: AbortSignal;
}

export interface ClaimAnswer extends Revoked {
  jobs: Claim[];
  /** The instance must take no more. */
  drain: boolean;
}

/** A claim that waits here; `ended` resolves when it will hand nothing out any more. */
interface WaitingClaim {
  superseded: AbortController;
  ended: Promise<void>;
}

/**
 * Hands jobs out over HTTP. A delivery is first recorded as a claim in Postgres and only then ended in the queue, so one
 * that this process took when it died is found by the reconciler, and one whose answer got lost by the ack timer or by
 * the same request again.
 */
export class ClaimJobs {
  readonly #store: Store;
  readonly #queues: JobQueues;
  readonly #touchMs: number;
  readonly #stopping: AbortSignal;
  readonly #desks = new Map<string, ClaimDesk>();
  readonly #waiting = new Map<string, WaitingClaim>();

  constructor(options: { store: Store; queues: JobQueues; heartbeatMs: number; stopping: AbortSignal }) {
    this.#store = options.store;
    this.#queues = options.queues;
    this.#touchMs = options.heartbeatMs;
    this.#stopping = options.stopping;
    options.stopping.addEventListener('abort', () => this.#close(), { once: true });
  }

  /** @throws Problem not_found, forbidden, gone, too_many_requests */
  async claim(request: ClaimRequest): Promise<ClaimAnswer> {
    const drain = await this.#touch(request);
    if (this.#waiting.size >= MAX_WAITING) {
      throw new Problem('too_many_requests', 'Too many claims wait here', { headers: { 'Retry-After': '5' } });
    }
    const key = `${request.workerId} ${request.requestId}`;
    const earlier = this.#waiting.get(key);
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const mine = { superseded: new AbortController(), ended };
    this.#waiting.set(key, mine);
    try {
      // The same claim again: its sender no longer listens to the first. What that one still hands out is looked up.
      earlier?.superseded.abort();
      await earlier?.ended;
      return await this.#wait(request, drain, AbortSignal.any([request.left, mine.superseded.signal, this.#stopping]));
    } finally {
      end();
      if (this.#waiting.get(key) === mine) this.#waiting.delete(key);
    }
  }

  /** Each turn looks for what the same request was given elsewhere, at another replica, and for what was revoked. */
  async #wait(request: ClaimRequest, mustDrain: boolean, ended: AbortSignal): Promise<ClaimAnswer> {
    const { workerId, requestId, waitMs } = request;
    const endAtMs = performance.now() + waitMs;
    for (let drain = mustDrain; ; drain = await this.#touch(request)) {
      const [given, revoked] = await Promise.all([
        findClaims(this.#store, workerId, requestId),
        tellRevoked(this.#store, workerId),
      ]);
      const { length: news } = [...given, ...revoked.cancel, ...revoked.stale];
      if (news > 0 || drain) return { jobs: given, drain, ...revoked };
      // Without time to wait, one look at the queue is still taken.
      const leftMs = Math.max(endAtMs - performance.now(), LOOK_MS);
      const taken = await this.#next(request, ended, Math.min(leftMs, this.#touchMs));
      const jobs = taken.length > 0 ? await this.#handOut(request, taken, ended) : [];
      const over = jobs.length > 0 || ended.aborted || performance.now() >= endAtMs;
      if (over) return { jobs, drain: false, cancel: [], stale: [] };
    }
  }

  async #next({ workerType, slots }: ClaimRequest, ended: AbortSignal, waitMs: number): Promise<Taken[]> {
    const over = new AbortController();
    const abort = (): void => over.abort();
    const timer = setTimeout(abort, waitMs);
    ended.addEventListener('abort', abort, { once: true });
    if (ended.aborted) abort();
    try {
      return await this.#desk(workerType).next(slots, over.signal);
    } finally {
      clearTimeout(timer);
      ended.removeEventListener('abort', abort);
    }
  }

  async #handOut(request: ClaimRequest, taken: readonly Taken[], ended: AbortSignal): Promise<Claim[]> {
    const { workerId, workerType, requestId } = request;
    let recorded = false;
    try {
      if (ended.aborted) return [];
      const deliveries = taken.flatMap(({ delivery }): ClaimedDelivery[] => {
        const id = parseDeliveryId(delivery.id);
        return id ? [{ ...id, function: delivery.name, message: delivery.data }] : [];
      });
      const claiming = { workerId, workerType, requestId, deliveries, timers: DEFAULT_TIMERS };
      recorded = (await recordClaims(this.#store, claiming)) !== null;
    } finally {
      for (const one of taken) {
        if (recorded) one.over();
        else one.back();
      }
    }
    return findClaims(this.#store, workerId, requestId);
  }

  /** Notes a sign of life; true when the instance must take no more. */
  async #touch({ workerId, workerType, slots }: ClaimRequest): Promise<boolean> {
    const state = await touchInstance(this.#store, { workerId, workerType, freeSlots: slots });
    if (state === null || state === 'gone') throw await whyNot(this.#store, workerId, workerType);
    return state === 'draining';
  }

  #desk(workerType: string): ClaimDesk {
    const found = this.#desks.get(workerType);
    if (found) return found;
    const instance = `be-api-${hostname()}-${process.pid}`;
    const desk = new ClaimDesk({ queues: this.#queues, workerType, instance });
    this.#desks.set(workerType, desk);
    return desk;
  }

  #close(): void {
    for (const desk of this.#desks.values()) desk.close();
  }
}

/** What a claim that will not wait gives the queue to answer. */
const LOOK_MS = 100;
