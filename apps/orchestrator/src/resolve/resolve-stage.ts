import type { JobError, JobId, JsonValue } from '@connecta/contracts';
import { backoff } from '@connecta/domain';
import type { Logger } from '@connecta/runtime';
import {
  findForgottenWork,
  findJobs,
  findPendingReturns,
  findWork,
  inBatch,
  lockOrders,
  lockWaitingJobs,
  postponeWork,
  readItemResults,
  type Batch,
  type WaitingJob,
  type WorkJob,
} from '@connecta/store';
import type { Draft } from '../engine/draft/draft.ts';
import { Drafts, type EngineParts } from '../engine/drafts.ts';
import type { Outcome } from '../engine/outcome.ts';
import type { Again, Growth } from '../engine/draft/growing.ts';
import type { Prepared } from '../engine/steps/prepare-step.ts';
import { againItems } from './again-items.ts';
import { expandItems, type Expanded } from './expand-items.ts';
import { extendItems } from './extend-items.ts';
import { ownerOf } from './prepare-items.ts';
import { resolveJob } from './resolve-job.ts';
import { loadStep } from './load-step.ts';
import { UnreadableValueError, type Values } from './values.ts';

export interface ResolveOptions {
  parts: EngineParts;
  values: Values;
  log: Logger;
  /** Sends what a committed batch leaves to do. */
  follow: (outcome: Outcome) => Promise<void>;
}

/** What was found out about a job outside of transactions: how its order's draft takes it up. */
type Finding = (draft: Draft, job: WaitingJob, batch: Batch) => void | Promise<void>;

const LIMIT = 50;
const PAGE = 2000;
/** Work that is so old was left by somebody who is gone. */
const FORGOTTEN_MS = 3000;
/** How long work rests that could not be done, as long as the storage of its values is away. */
const REST = { backoffMs: 1000, factor: 2, maxBackoffMs: 60_000, jitter: true };

/**
 * Sees to what must not be done inside of a transaction: reading and writing large values, evaluating the items of a
 * list, gathering their results. Each job is read, worked on, and taken up in one transaction that does nothing unless the
 * job still waits for just this; so doing it twice, or not at all after a crash, harms nothing.
 */
export class ResolveStage {
  readonly #options: ResolveOptions;
  #told = new Set<JobId>();
  /** How often in a row work of a job could not be done here. */
  readonly #failures = new Map<JobId, number>();

  constructor(options: ResolveOptions) {
    this.#options = options;
  }

  tell(jobIds: readonly JobId[]): void {
    for (const id of jobIds) this.#told.add(id);
  }

  /** Does what it was told of; true when there is more. */
  async tick(): Promise<boolean> {
    const ids = [...this.#told].slice(0, LIMIT);
    if (ids.length === 0) return false;
    for (const id of ids) this.#told.delete(id);
    for (const job of await findWork(this.#options.parts.store, ids)) await this.#work(job);
    return this.#told.size > 0;
  }

  /** Finds what nobody was told of; true when there is something to do. */
  async sweep(): Promise<boolean> {
    const ids = await findForgottenWork(this.#options.parts.store, FORGOTTEN_MS, LIMIT);
    this.tell(ids);
    return ids.length > 0;
  }

  /** What fails for a reason outside of the job rests, and is found again by the sweep. */
  async #work(job: WorkJob): Promise<void> {
    const { parts, log, follow } = this.#options;
    try {
      const finding = await this.#find(job);
      await follow(await takeUp(parts, job, finding));
      this.#failures.delete(job.id);
    } catch (error) {
      const failures = (this.#failures.get(job.id) ?? 0) + 1;
      this.#failures.set(job.id, failures);
      const delayMs = backoff(failures, REST, Math.random());
      log.warn({ err: error, jobId: job.id, work: job.work, delayMs }, 'values are not at hand; they are tried again');
      await postponeWork(parts.store, job.id, delayMs);
    }
  }

  async #find(job: WorkJob): Promise<Finding> {
    const { parts, values } = this.#options;
    try {
      if (job.work === 'gather') return gathered(await values.stored(await this.#results(job), ownerOf(job)));
      const loaded = await loadStep(parts, values, job);
      if (!loaded) throw new Error('the plan cannot be read');
      const at = { store: parts.store, values };
      switch (job.work) {
        case 'expand':
          return expanded(await expandItems(at, loaded, job));
        case 'extend':
          return grown(await extendItems(at, loaded, job));
        case 'again':
          return computedAgain(await againItems(at, loaded, job));
        case 'resolve':
          return resolved(await resolveJob(at, loaded, job));
        default:
          return job.work satisfies never;
      }
    } catch (error) {
      if (!(error instanceof UnreadableValueError)) throw error;
      return failed({ kind: 'permanent', code: 'unreadable_value', message: error.message });
    }
  }

  /** The results of a step's items, in their order; null of those without one. */
  async #results({ orderId, step }: WorkJob): Promise<JsonValue> {
    const results: JsonValue[] = [];
    for (let after = 0; ; after += PAGE) {
      const page = await readItemResults(this.#options.parts.store, { orderId, step, after, limit: PAGE });
      for (const { state, result } of page) results.push(state === 'completed' ? result : null);
      if (page.length < PAGE) return results;
    }
  }
}

function resolved(prepared: Prepared): Finding {
  return (draft, waiting) => draft.resolved(waiting, prepared);
}

function expanded(next: Expanded): Finding {
  if (next.is === 'error') return failed(next.error);
  if (next.is === 'skip') return (draft, head) => draft.resolved(head, { is: 'skip' });
  return (draft, head) => draft.expand(head, next.chunk);
}

function grown(found: { growth: Growth } | { error: JobError }): Finding {
  if ('error' in found) return failed(found.error);
  return async (draft, head, batch) => {
    draft.grow(head, found.growth, await findPendingReturns(batch, head.orderId, head.step));
  };
}

function computedAgain(again: Again): Finding {
  return async (draft, head, batch) => {
    const ids = again.items.map(({ id }) => id);
    draft.computeAgain(head, again, ids.length > 0 ? await findJobs(batch, ids) : []);
  };
}

function gathered(result: JsonValue): Finding {
  return (draft, job) => draft.endWait(job, { state: 'completed', result });
}

function failed(error: JobError): Finding {
  return (draft, job) => draft.endWait(job, { state: 'error', error });
}

function takeUp(parts: EngineParts, found: WorkJob, finding: Finding): Promise<Outcome> {
  return inBatch(parts.store, async (batch) => {
    const [orders, jobs] = await Promise.all([lockOrders(batch, [found.orderId]), lockWaitingJobs(batch, [found.id])]);
    const drafts = new Drafts(parts);
    await drafts.open(orders);
    const [job] = jobs;
    const draft = drafts.get(found.orderId);
    if (job && draft?.order.state === 'active' && job.work === found.work && job.attempt === found.attempt) {
      await finding(draft, job, batch);
    }
    return drafts.commit(batch);
  });
}
