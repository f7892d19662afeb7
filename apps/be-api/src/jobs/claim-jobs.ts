import { hostname } from 'node:os';
import { Problem, parseDeliveryId, type WorkerInstanceId } from '@connecta/contracts';
import { DEFAULT_TIMERS } from '@connecta/domain';
import type { JobQueues } from '@connecta/queue';
import { findClaims, recordClaims, touchInstance, type Claim, type ClaimedDelivery, type Store } from '@connecta/store';
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

export interface ClaimAnswer {
  jobs: Claim[];
  /** The instance must take no more. */
  drain: boolean;
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
  readonly #waiting = new Map<string, AbortController>();

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
    const jobs = await findClaims(this.#store, request.workerId, request.requestId);
    if (jobs.length > 0 || drain) return { jobs, drain };
    if (this.#waiting.size >= MAX_WAITING) {
      throw new Problem('too_many_requests', 'Too many claims wait here', { headers: { 'Retry-After': '5' } });
    }
    const key = `${request.workerId} ${request.requestId}`;
    // The same claim again: its sender no longer listens to the first.
    this.#waiting.get(key)?.abort();
    const superseded = new AbortController();
    this.#waiting.set(key, superseded);
    try {
      return await this.#wait(request, AbortSignal.any([request.left, superseded.signal, this.#stopping]));
    } finally {
      if (this.#waiting.get(key) === superseded) this.#waiting.delete(key);
    }
  }

  async #wait(request: ClaimRequest, ended: AbortSignal): Promise<ClaimAnswer> {
    const endAtMs = performance.now() + request.waitMs;
    for (;;) {
      // Without time to wait, one look at the queue is still taken.
      const leftMs = Math.max(endAtMs - performance.now(), LOOK_MS);
      const taken = await this.#next(request, ended, Math.min(leftMs, this.#touchMs));
      const jobs = taken.length > 0 ? await this.#handOut(request, taken, ended) : [];
      if (jobs.length > 0) return { jobs, drain: false };
      if (ended.aborted || performance.now() >= endAtMs) return { jobs: [], drain: false };
      if (await this.#touch(request)) return { jobs: [], drain: true };
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
    return recorded ? findClaims(this.#store, workerId, requestId) : [];
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
