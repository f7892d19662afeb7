import { leaseKey } from '@connecta/contracts';
import { DEFAULT_TIMERS, type Timers } from '@connecta/domain';
import type { QueueBackend } from '@connecta/queue';
import type { Logger, Metrics } from '@connecta/runtime';
import {
  Leadership,
  advanceFreeClocks,
  createOrderNotifier,
  forgetOldHolds,
  listWorkerTypes,
  listen,
  loseSilentInstances,
  readOrderSignal,
  type Store,
} from '@connecta/store';
import { AdvanceStage } from './advance/advanceStage.ts';
import { Dispatcher } from './dispatch/dispatcher.ts';
import { BuiltInEngine } from './engine/builtIn.ts';
import type { Outcome } from './engine/drafts.ts';
import { moveAttempts, type FoundAttempt } from './engine/moveAttempts.ts';
import { PlanCache } from './engine/planCache.ts';
import { planOrders } from './plan/planOrders.ts';
import { Reconciler } from './recover/reconciler.ts';
import { resumeOrders } from './recover/resumeOrders.ts';
import { Loop } from './run/loop.ts';
import { findExpired } from './timers/findExpired.ts';

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
  timers?: Timers;
  /** How often the queues are compared with the database. */
  reconcileMs?: number;
}

const PLAN_LIMIT = 500;
const MOVE_LIMIT = 500;
const TIMER_MS = 500;
const HOUSEKEEPING_MS = 30_000;

/**
 * One replica of the engine. Four loops: plan (accepted orders), advance (worker reports), and, on the replica that
 * leads, timers and recovery. They meet only in the database.
 */
export class Orchestrator {
  readonly #options: Required<OrchestratorOptions>;
  readonly #plans: PlanCache;
  readonly #engine: BuiltInEngine;
  readonly #dispatcher: Dispatcher;
  readonly #advance: AdvanceStage;
  readonly #reconciler: Reconciler;
  readonly #leadership: Leadership;
  readonly #follow: (outcome: Outcome) => Promise<void>;
  readonly #loops: Loop[];
  readonly #closeReader: () => Promise<void>;
  #listener: ReturnType<typeof listen> | undefined;
  #workerTypes: string[] = [];
  #lastTick = Date.now();
  #lastHousekeeping = 0;

  constructor(options: OrchestratorOptions) {
    const { store, queue, log, metrics } = options;
    this.#options = { timers: DEFAULT_TIMERS, reconcileMs: 5000, ...options };
    const key = leaseKey(options.leaseKey);
    const onError = (error: Error): void => log.warn({ err: error }, 'a connection to the database failed');
    const notifier = createOrderNotifier(store, onError);
    this.#plans = new PlanCache(store);
    this.#engine = new BuiltInEngine(store, queue.jobs);
    this.#dispatcher = new Dispatcher(queue.jobs, key, log);
    this.#leadership = new Leadership(options.databaseUrl, onError);
    this.#follow = async ({ commands, changedOrders }) => {
      notifier.notify(changedOrders);
      await this.#dispatcher.send(commands);
    };
    const reader = queue.events.reader({ consumer: options.name, workerTypes: () => this.#workerTypes });
    this.#closeReader = () => reader.close();
    const late = metrics.counter('connecta_late_reports_total', 'Reports that changed nothing, by reason.', ['reason']);
    this.#advance = new AdvanceStage({
      store,
      plans: this.#plans,
      reader,
      leaseKey: key,
      log,
      follow: this.#follow,
      onLate: (reason) => late.inc({ reason }),
    });
    this.#reconciler = new Reconciler({
      store,
      queues: queue.jobs,
      log,
      timers: this.#options.timers,
      apply: (found) => this.#move(found),
    });
    const loop = (name: string, idleMs: number, tick: () => Promise<boolean>): Loop =>
      new Loop({ name, idleMs, tick, log });
    this.#loops = [
      loop('plan', 1000, () => this.planTick()),
      loop('advance', 0, () => this.#advance.tick()),
      loop('timers', TIMER_MS, () => this.timerTick()),
      loop('recover', this.#options.reconcileMs, () => this.recoverTick()),
      loop('types', 1000, () => this.#refreshTypes()),
    ];
  }

  async start(): Promise<void> {
    await this.#refreshTypes().catch(() => false);
    const planLoop = this.#loops[0];
    this.#listener = listen({
      databaseUrl: this.#options.databaseUrl,
      channels: ['intake', 'commands'],
      onSignal: (channel, payload) => {
        if (channel === 'intake') planLoop?.wake();
        else void this.#cancel(payload);
      },
      onGap: () => planLoop?.wake(),
      onError: (error) => this.#options.log.warn({ err: error }, 'signals are not heard for a while; polling goes on'),
    });
    await this.#listener.ready;
    for (const loop of this.#loops) loop.start();
  }

  /** Finishes what is under way, then stops. May be called twice. */
  async stop(): Promise<void> {
    const stopped = Promise.all(this.#loops.map((loop) => loop.stop()));
    await this.#closeReader();
    await stopped;
    await this.#advance.drain();
    this.#dispatcher.close();
    await this.#listener?.close();
    await this.#leadership.close();
  }

  /** Makes accepted orders active. */
  async planTick(): Promise<boolean> {
    const { store } = this.#options;
    const outcome = await planOrders({ store, plans: this.#plans, engine: this.#engine, limit: PLAN_LIMIT });
    if (!outcome) return false;
    await this.#follow(outcome);
    return true;
  }

  /** What only one replica does twice a second: every timer of the engine. */
  async timerTick(): Promise<boolean> {
    const { store, log, timers } = this.#options;
    const elapsedMs = Date.now() - this.#lastTick;
    this.#lastTick = Date.now();
    if (!(await this.#leadership.isLeading())) return false;
    // After a pause (a stopped process, a lost leadership) the clock must not leap.
    await advanceFreeClocks(store, Math.min(elapsedMs, 4 * TIMER_MS));
    for (const { workerType, instance } of await loseSilentInstances(store, timers.missedHeartbeats)) {
      log.warn({ workerType, instance }, 'an instance is lost: it has sent no heartbeat for three intervals');
    }
    const found = await findExpired(store, timers);
    await this.#move(found);
    return found.length >= MOVE_LIMIT;
  }

  /** What only one replica does every few seconds: compares the queues with the database. */
  async recoverTick(): Promise<boolean> {
    if (!(await this.#leadership.isLeading())) return false;
    await this.#reconciler.tick();
    if (Date.now() - this.#lastHousekeeping < HOUSEKEEPING_MS) return false;
    this.#lastHousekeeping = Date.now();
    const resumed = await resumeOrders(this.#options.store, this.#plans);
    if (resumed.changedOrders.length > 0) {
      this.#options.log.error({ orders: resumed.changedOrders }, 'orders had been forgotten; they go on');
      await this.#follow(resumed);
    }
    await forgetOldHolds(this.#options.store);
    return false;
  }

  async #move(found: readonly FoundAttempt[]): Promise<void> {
    const { store } = this.#options;
    for (let i = 0; i < found.length; i += MOVE_LIMIT) {
      const part = found.slice(i, i + MOVE_LIMIT);
      await this.#follow(await moveAttempts({ store, plans: this.#plans, found: part, random: Math.random }));
    }
  }

  async #refreshTypes(): Promise<boolean> {
    this.#workerTypes = await listWorkerTypes(this.#options.store);
    return false;
  }

  async #cancel(payload: string): Promise<void> {
    try {
      await this.#engine.cancel(readOrderSignal(payload) ?? []);
    } catch (error) {
      this.#options.log.warn({ err: error }, 'cancelled jobs stay in the queue; their reports will be refused');
    }
  }
}
