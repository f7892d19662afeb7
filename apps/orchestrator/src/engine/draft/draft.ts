import type { HistoryEvent, JobError, JobId, JsonValue, WorkerEvent } from '@connecta/contracts';
import { cacheTtlOf, type CompiledPlan, type RetryDecision, type RetryPolicy, type WaitEnd } from '@connecta/domain';
import type {
  ChangedJob,
  ChildEnd,
  CountedItems,
  EarlierJob,
  EngineJob,
  LockedOrder,
  NewJob,
  OrderWrite,
  StepFact,
  WaitingJob,
} from '@connecta/store';
import type { Command } from '../command.ts';
import type { EngineDefaults } from '../defaults.ts';
import type { Prepared } from '../steps/prepare-step.ts';
import type { ReadonlyExtras } from './extras.ts';
import { Following, type Missing } from './following.ts';
import { computeAgain, growList, type Again, type Growth } from './growing.ts';
import { addItems, countItems, recountItems, type Chunk } from './items.ts';
import { Ledger, headOf } from './ledger.ts';
import { beginAgain } from './again.ts';
import { beginResolved } from './resolved.ts';
import { endWaitingJob, invokeJobAgain, retryJob, type Inheritance, type Remains, type WaitTold } from './moves.ts';

type Completion = Pick<Extract<WorkerEvent, { type: 'completed' }>, 'instance' | 'value' | 'functionVersion'>;

/** What the result cache holds for a client. */
export type CachedJob = EarlierJob & { clientId: string; ageMs: number };

/**
 * What a batch makes of one locked order. States: open (events are collected) → settled (what follows is decided).
 * Nothing is written here: the batch reads `write`, `events`, `newJobs` and `moves` when it commits.
 */
export class Draft {
  readonly #ledger: Ledger;
  readonly #following: Following;

  constructor(order: LockedOrder, plan: CompiledPlan) {
    this.#ledger = new Ledger(order, plan);
    this.#following = new Following(this.#ledger);
  }

  get order(): LockedOrder {
    return this.#ledger.order;
  }

  get plan(): CompiledPlan {
    return this.#ledger.plan;
  }

  get events(): readonly HistoryEvent[] {
    return this.#ledger.events;
  }

  get newJobs(): readonly NewJob[] {
    return this.#ledger.newJobs;
  }

  get extras(): ReadonlyExtras {
    return this.#ledger.extras;
  }

  /** The steps of which items ended: their heads are to be told. */
  get endedItemsOf(): string[] {
    const { itemEnds, headsAgain } = this.#ledger.extras;
    return itemEnds.size + headsAgain.size === 0 ? [] : [...new Set([...itemEnds.keys(), ...headsAgain])];
  }

  get commands(): readonly Command[] {
    return this.#ledger.commands;
  }

  get write(): OrderWrite {
    return this.#ledger.write;
  }

  /** Makes an accepted order active: its roots are invoked. */
  launch(input: JsonValue): void {
    this.#ledger.state = 'active';
    this.#ledger.events.push({ type: 'order', state: 'active', epoch: this.order.epoch });
    this.#following.begin(input);
  }

  /** Ends an accepted order that cannot be run at all. */
  refuse(error: JobError): void {
    this.#ledger.state = 'failed';
    this.#ledger.error = error;
    this.#ledger.events.push({ type: 'order', state: 'failed', epoch: this.order.epoch, error });
  }

  complete(job: ChangedJob, { instance, value, functionVersion: ran }: Completion): void {
    this.#ledger.events.push({ ...headOf(job), state: 'completed', instance });
    this.#ledger.complete(job, value);
    const step = this.plan.steps.get(job.step);
    if (step?.kind !== 'task') return;
    // While a type is rolled out, runners of both versions take jobs, whatever was pinned.
    if (ran !== undefined && step.functionVersion !== undefined && ran !== step.functionVersion) {
      this.#ledger.openExtras().ranOthers.push({ jobId: job.id, version: ran });
      return;
    }
    const ttlMs = cacheTtlOf(this.order.cacheTtlMs, step);
    if (ttlMs === 0) return;
    this.#ledger.openExtras().kept.push({ jobId: job.id, clientId: this.order.clientId, ttlMs });
  }

  /** Ends a job that waited. */
  endWait(job: WaitingJob, end: WaitEnd, told: WaitTold = {}): void {
    endWaitingJob(this.#ledger, job, end, told);
  }

  note(job: ChangedJob, state: 'queued' | 'started', instance?: string): void {
    this.#ledger.events.push({ ...headOf(job), state, ...(instance === undefined ? {} : { instance }) });
    this.#ledger.mark(job.step, state, job.item);
  }

  /** How often and when a step's job is tried again. */
  retryPolicy(step: string, { retry }: EngineDefaults): RetryPolicy {
    const planned = this.plan.steps.get(step);
    return planned?.kind === 'task' && planned.retry ? { ...retry, ...planned.retry } : retry;
  }

  /** Tries a job again under a new attempt (at once or after its backoff), or ends it in error. */
  retry(job: EngineJob, decision: RetryDecision, remains: Remains = {}): void {
    retryJob(this.#ledger, job, decision, remains);
  }

  /** Sends a job out under its next attempt. */
  invokeAgain(job: EngineJob, change: Inheritance): void {
    invokeJobAgain(this.#ledger, job, change);
  }

  /** Counts items that ended, at their head: before it is decided what follows. */
  countItems(head: WaitingJob): void {
    countItems(this.#ledger, head);
  }

  /** Takes a head's items for what their rows say. */
  recount(head: WaitingJob, items: CountedItems): void {
    recountItems(this.#ledger, head, items);
  }

  /** Begins a job anew that is no command: for a retry of its order. */
  beginAgain(job: EngineJob, child?: ChildEnd): void {
    beginAgain(this.#ledger, job, child);
  }

  /** Takes up a job whose large values were read: it begins now, or ends. */
  resolved(job: WaitingJob, prepared: Prepared): void {
    beginResolved(this.#ledger, job, prepared);
  }

  /** Makes jobs of further items. */
  expand(head: WaitingJob, chunk: Chunk): void {
    addItems(this.#ledger, head, chunk);
  }

  /** Takes items into a list that others of it returned; `pending` is all that lie there now. */
  grow(head: WaitingJob, growth: Growth, pending: readonly { id: JobId; attempt: number }[]): void {
    growList(this.#ledger, head, growth, pending);
  }

  /** Computes ended items again; `jobs` are these items as they are now. */
  computeAgain(head: WaitingJob, again: Again, jobs: readonly EngineJob[]): void {
    computeAgain(this.#ledger, head, again, jobs);
  }

  /** Decides what follows from the collected ends. Safe to call for an order that no longer moves. */
  settle(): void {
    if (this.#ledger.state === 'active') this.#following.settle();
  }

  /** Decides what follows from the progress alone: what the reconciler does for an order with nothing on its way. */
  resume(): void {
    this.#following.resume();
  }

  /** What decisions need now and is not at hand. */
  missing(): Missing {
    return this.#following.missing();
  }

  /** Tells what was missing. A step of which nothing was found has no result. */
  tell(steps: readonly string[], facts: ReadonlyMap<string, StepFact>, input?: { value: JsonValue }): void {
    const nothing = { state: 'completed', result: null, error: null, outcome: null } as const;
    for (const step of steps) this.#ledger.facts.set(step, facts.get(step) ?? nothing);
    if (input) this.#ledger.input = input;
  }

  /** Tells which of the earlier jobs that were asked for there are. */
  tellEarlier(wanted: Missing, origins: readonly EarlierJob[], cached: readonly CachedJob[]): void {
    if (wanted.origins.length + wanted.cached.size === 0) return;
    const { clientId, rerunOf } = this.order;
    const { origins: known, cached: held, wantedCached } = this.#ledger.openExtras();
    for (const step of wanted.origins) {
      known.set(step, origins.find((job) => job.orderId === rerunOf && job.step === step) ?? null);
    }
    for (const fingerprint of wantedCached.keys()) {
      held.set(fingerprint, cached.find((job) => job.clientId === clientId && job.fingerprint === fingerprint) ?? null);
    }
    wantedCached.clear();
  }

  /** Lets steps begin, as far as everything is at hand. True: there is something missing again. */
  decide(): boolean {
    return this.#following.decide();
  }

  /** Makes the order's end, if it has come to it. */
  conclude(): void {
    this.#following.conclude();
  }
}
