import type { Blobs } from '@connecta/blobs';
import { leaseKey } from '@connecta/contracts';
import { DEFAULT_RETRY, DEFAULT_TIMERS, type RetryPolicy, type Timers } from '@connecta/domain';
import type { QueueBackend } from '@connecta/queue';
import type { Logger, Metrics } from '@connecta/runtime';
import {
  Leadership,
  advanceFreeClocks,
  closeClaims,
  createOrderNotifier,
  forgetOldHolds,
  forgetOldResults,
  listWorkerTypes,
  listen,
  loseSilentInstances,
  readOrderSignal,
  type OrderNotifier,
  type Store,
} from '@connecta/store';
import { AdvanceStage } from './advance/advance-stage.ts';
import { Dispatcher } from './dispatch/dispatcher.ts';
import { BuiltInEngine } from './engine/built-in.ts';
import type { EngineParts } from './engine/drafts.ts';
import { moveAttempts, type FoundAttempt } from './engine/move-attempts.ts';
import { Doubts, type Outcome } from './engine/outcome.ts';
import { LeftOrders } from './engine/left-orders.ts';
import { PlanCache } from './engine/plan-cache.ts';
import { Silence } from './engine/silence.ts';
import { PLAN_POLL_MS, PlanStage } from './plan/plan-stage.ts';
import { Reconciler } from './recover/reconciler.ts';
import { recountHeads } from './recover/recount-heads.ts';
import { resumeOrders } from './recover/resume-orders.ts';
import { Loop } from './run/loop.ts';
import { ScheduleStage } from './schedule/schedule-stage.ts';
import { findExpired } from './timers/find-expired.ts';
import { ResolveStage } from './resolve/resolve-stage.ts';
import { Values } from './resolve/values.ts';
import { WaitStage } from './wait/wait-stage.ts';

export interface OrchestratorOptions {
  store: Store;
  queue: QueueBackend;
  databaseUrl: string;
  /** Base64url, at least 32 bytes. */
  leaseKey: string;
  /** Unique among the replicas. */
  name: string;
  log: Logger;
  metrics: Metrics;
  /** Where large values are; opened when the first is met. */
  openBlobs: () => Promise<Blobs>;
  timers?: Timers;
  retry?: RetryPolicy;
  /** How often the queues are compared with the database. */
  reconcileMs?: number;
  /** The clock that schedules go by; the database's by default. */
  scheduleClock?: () => Promise<Date>;
}

const PLAN_LIMIT = 500;
const MOVE_LIMIT = 500;
const TIMER_MS = 500;
const HOUSEKEEPING_MS = 30_000;

/**
 * One replica of the engine. Its loops: plan (accepted orders), advance (worker reports), doubts (commits that were not
 * answered), types (what to serve), and, on the replica that leads, timers and recovery. They meet only in the database.
 */
export class Orchestrator {
  readonly #options: Required<Omit<OrchestratorOptions, 'scheduleClock'>>;
  readonly #parts: EngineParts;
  readonly #engine: BuiltInEngine;
  readonly #notifier: OrderNotifier;
  readonly #silence: Silence;
  readonly #dispatcher: Dispatcher;
  readonly #plan: PlanStage;
  readonly #advance: AdvanceStage;
  readonly #waits: WaitStage;
  readonly #resolve: ResolveStage;
  readonly #reconciler: Reconciler;
  readonly #schedule: ScheduleStage;
  readonly #leadership: Leadership;
  readonly #follow: (outcome: Outcome) => Promise<void>;
  readonly #loops: Record<
    'plan' | 'advance' | 'waits' | 'answers' | 'resolve' | 'doubts' | 'timers' | 'schedule' | 'recover' | 'types',
    Loop
  >;
  readonly #closeReader: () => Promise<void>;
  #listener: ReturnType<typeof listen> | undefined;
  #workerTypes: string[] = [];
  #lastTick = Date.now();
  #lastHousekeeping = 0;

  constructor(options: OrchestratorOptions) {
    const { store, queue, log, metrics } = options;
    this.#options = { timers: DEFAULT_TIMERS, retry: DEFAULT_RETRY, reconcileMs: 5000, ...options };
    const key = leaseKey(options.leaseKey);
    const onError = (error: Error): void => log.warn({ err: error }, 'a connection to the database failed');
    this.#notifier = createOrderNotifier(store, onError);
    this.#silence = new Silence(this.#options.timers);
    const doubts = new Doubts(() => this.#loops.doubts.wake());
    this.#parts = { store, plans: new PlanCache(store), doubts, left: new LeftOrders(), defaults: this.#options };
    this.#engine = new BuiltInEngine(store, queue.jobs);
    this.#dispatcher = new Dispatcher(queue.jobs, key, log);
    this.#leadership = new Leadership(options.databaseUrl, onError);
    this.#follow = async (outcome) => {
      this.#tell(outcome);
      this.#wakeFor(outcome);
      await this.#dispatcher.send(outcome.commands);
    };
    this.#plan = new PlanStage({ parts: this.#parts, engine: this.#engine, limit: PLAN_LIMIT, follow: this.#follow });
    this.#waits = new WaitStage({ parts: this.#parts, follow: this.#follow });
    const values = new Values(store, options.openBlobs);
    this.#resolve = new ResolveStage({ parts: this.#parts, values, log, follow: this.#follow });
    const reader = queue.events.reader({ consumer: options.name, workerTypes: () => this.#workerTypes });
    this.#closeReader = () => reader.close();
    const late = metrics.counter('connecta_late_reports_total', 'Reports that changed nothing, by reason.', ['reason']);
    this.#advance = new AdvanceStage({
      parts: this.#parts,
      reader,
      leaseKey: key,
      log,
      follow: this.#follow,
      onLate: (reason) => late.inc({ reason }),
      onRead: () => this.#silence.read(Date.now()),
    });
    this.#reconciler = new Reconciler({
      store,
      queues: queue.jobs,
      log,
      timers: this.#options.timers,
      apply: (found) => this.#move(found),
    });
    this.#schedule = new ScheduleStage({ store, log, now: options.scheduleClock });
    const loop = (name: string, idleMs: number, tick: () => Promise<boolean>): Loop =>
      new Loop({ name, idleMs, tick, log });
    this.#loops = {
      plan: loop('plan', PLAN_POLL_MS, () => this.#plan.tick()),
      advance: loop('advance', 0, () => this.#advance.tick()),
      waits: loop('waits', 60_000, () => this.#waits.tick()),
      answers: loop('answers', TIMER_MS, () => this.#answerTick()),
      resolve: loop('resolve', 60_000, () => this.#resolve.tick()),
      doubts: loop('doubts', 60_000, () => this.#settleDoubts()),
      timers: loop('timers', TIMER_MS, () => this.#timerTick()),
      schedule: loop('schedule', TIMER_MS, () => this.#scheduleTick()),
      recover: loop('recover', this.#options.reconcileMs, () => this.#recoverTick()),
      types: loop('types', 1000, () => this.#refreshTypes()),
    };
  }

  async start(): Promise<void> {
    await this.#refreshTypes().catch(() => false);
    this.#listener = listen({
      databaseUrl: this.#options.databaseUrl,
      channels: ['intake', 'commands', 'answers'],
      onSignal: (channel, payload) => {
        if (channel === 'intake') this.#accepted(payload);
        else if (channel === 'answers') this.#loops.answers.wake();
        else void this.#cancel(payload);
      },
      onGap: () => this.#accepted(''),
      onError: (error) => this.#options.log.warn({ err: error }, 'signals are not heard for a while; polling goes on'),
    });
    await this.#listener.ready;
    for (const loop of Object.values(this.#loops)) loop.start();
  }

  /** Finishes what is under way, then stops. May be called twice. */
  async stop(): Promise<void> {
    const stopped = Promise.all(Object.values(this.#loops).map((loop) => loop.stop()));
    this.#advance.stop();
    await this.#closeReader();
    await stopped;
    await this.#advance.drain();
    await this.#notifier.flush();
    this.#dispatcher.close();
    await this.#listener?.close();
    await this.#leadership.close();
  }

  /** Tells who waits for these orders, as far as the commit did not. */
  #tell({ changedOrders, openOrders, told }: Outcome): void {
    const changes = changedOrders.map((orderId) => ({ orderId, open: openOrders?.has(orderId) ?? false }));
    if (told) this.#notifier.told(changes.filter(({ open }) => !open).map(({ orderId }) => orderId));
    this.#notifier.notify(told ? changes.filter(({ open }) => open) : changes);
  }

  /** Has the order that a signal tells planned or, where it tells of none, whatever waits. */
  #accepted(signal: string): void {
    this.#plan.tell(signal);
    this.#loops.plan.wake();
  }

  /** Sends what stands of batches whose commit was not answered. */
  async #settleDoubts(): Promise<boolean> {
    await this.#follow(await this.#parts.doubts.settle(this.#options.store));
    return false;
  }

  /** What only one replica does twice a second: every timer of the engine. */
  async #timerTick(): Promise<boolean> {
    const { store, timers } = this.#options;
    const elapsedMs = Date.now() - this.#lastTick;
    this.#lastTick = Date.now();
    const leading = await this.#leadership.isLeading();
    this.#silence.answered(Date.now());
    if (!leading) return false;
    // After a pause (a stopped process, a lost leadership) the clock must not leap.
    await advanceFreeClocks(store, Math.min(elapsedMs, 4 * TIMER_MS));
    const silenceProves = await this.#loseSilent();
    const found = await findExpired(store, timers, silenceProves);
    await this.#move(found);
    return found.length >= MOVE_LIMIT;
  }

  /**
   * Whether silence proves anything now; if so, instances that have been silent for too long are lost. Done before whatever
   * judges attempts that nobody lists: whether their worker was lost with them counts.
   */
  async #loseSilent(): Promise<boolean> {
    const { store, log, timers } = this.#options;
    if (!this.#silence.proves(Date.now())) return false;
    for (const { workerType, instance } of await loseSilentInstances(store, timers.missedHeartbeats)) {
      log.warn({ workerType, instance }, 'an instance is lost: it has sent no heartbeat for three intervals');
    }
    return true;
  }

  /** What only one replica does twice a second: orders that the clock places. */
  async #scheduleTick(): Promise<boolean> {
    return (await this.#leadership.isLeading()) && this.#schedule.tick();
  }

  /** What only one replica does twice a second, and when somebody answers: ends waits. */
  async #answerTick(): Promise<boolean> {
    return (await this.#leadership.isLeading()) && (await this.#waits.sweepAnswers());
  }

  /** Has the other loops take up what a batch left to do. What they are not told they find, later. */
  #wakeFor({ acceptedChildren, endedFor = [], work = [] }: Outcome): void {
    if (acceptedChildren) this.#accepted('');
    if (work.length > 0) {
      this.#resolve.tell(work);
      this.#loops.resolve.wake();
    }
    if (endedFor.length === 0) return;
    this.#waits.tell(endedFor);
    this.#loops.waits.wake();
  }

  /** What only one replica does every few seconds: compares the queues with the database. */
  async #recoverTick(): Promise<boolean> {
    if (!(await this.#leadership.isLeading())) return false;
    await this.#reconciler.tick(await this.#loseSilent());
    await this.#waits.sweepOrders();
    if (await this.#resolve.sweep()) this.#loops.resolve.wake();
    if (Date.now() - this.#lastHousekeeping < HOUSEKEEPING_MS) return false;
    this.#lastHousekeeping = Date.now();
    await this.#mend(await resumeOrders(this.#parts), 'orders had been forgotten; they go on');
    await this.#mend(await recountHeads(this.#parts), 'items had been miscounted; their lists go on');
    await forgetOldHolds(this.#options.store);
    await forgetOldResults(this.#options.store);
    await closeClaims(this.#options.store);
    return false;
  }

  /** Goes on with what was found to be amiss: the fault is logged as one. */
  async #mend(outcome: Outcome, fault: string): Promise<void> {
    if (outcome.changedOrders.length === 0) return;
    this.#options.log.error({ orders: outcome.changedOrders }, fault);
    await this.#follow(outcome);
  }

  async #move(found: readonly FoundAttempt[]): Promise<void> {
    for (let i = 0; i < found.length; i += MOVE_LIMIT) {
      const part = found.slice(i, i + MOVE_LIMIT);
      await this.#follow(await moveAttempts({ parts: this.#parts, found: part, random: Math.random }));
    }
  }

  async #refreshTypes(): Promise<boolean> {
    this.#workerTypes = await listWorkerTypes(this.#options.store);
    return false;
  }

  async #cancel(payload: string): Promise<void> {
    try {
      await this.#engine.cancel((readOrderSignal(payload) ?? []).map(({ orderId }) => orderId));
    } catch (error) {
      this.#options.log.warn({ err: error }, 'cancelled jobs stay in the queue; their reports will be refused');
    }
  }
}
