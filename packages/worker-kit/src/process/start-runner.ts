import { parseDeliveryId } from '@connecta/contracts';
import type { Delivery } from '@connecta/queue';
import type { Closers, Logger } from '@connecta/runtime';
import { BeApiChildOrders } from '../be-api/child-orders.ts';
import { openBeApi } from '../be-api/client.ts';
import { GatewayBlobs } from '../be-api/job-blobs.ts';
import { Presence, type Heartbeat, type HeartbeatAnswer } from '../be-api/presence.ts';
import { compileCatalogue } from '../function/catalogue.ts';
import { LogSender } from '../logs/log-sender.ts';
import { openProfileStore } from '../profiles/profile-store.ts';
import { openSecretVault } from '../profiles/secret-vault.ts';
import { JobRunner } from '../runner/job-runner.ts';
import type { BlobAccess, HeldAttempt } from '../runner/ports.ts';
import { ProfileCache } from '../runner/profile-cache.ts';
import { QueueLink } from '../runner/queue-link.ts';
import { Slots } from '../runner/slots.ts';
import { directReads } from './direct-blobs.ts';
import type { RunnerConfig } from './config.ts';
import { commonRegistration, instanceName, type WorkerType } from './worker-type.ts';

/** Without an answer from be-api for this long, a runner takes no more work: it may be the one that is cut off. */
const PARTITION_MS = 30_000;
/** With free slots and no answer from the store for this long, the queue's account may be gone: register anew. */
const UNANSWERED_MS = 20_000;
/** Of the time for stopping, what is kept back for aborting, reporting and saying goodbye. */
const STOP_RESERVE_MS = 3_000;

export interface RunnerOptions {
  workerType: WorkerType;
  config: RunnerConfig;
  log: Logger;
  closers: Closers;
  /** Called when be-api has told this process to drain, after it has: the process may end. */
  onDrained?: () => void;
  /** For tests: how long be-api may be silent before no more work is taken. */
  partitionMs?: number;
}

/** A running runner. */
export interface Runner {
  readonly instance: string;
  /** Resolves when it has registered for the first time and asks for work. */
  readonly ready: Promise<void>;
  /** Finishes what it holds within `graceMs`, aborts the rest, and leaves. May be called twice. */
  stop(graceMs?: number): Promise<void>;
}

/** Starts a runner: it registers at be-api, for as long as it takes, and then takes jobs of its type. */
export function startRunner(options: RunnerOptions): Runner {
  const process = new RunnerProcess(options);
  options.closers.add('runner', () => process.stop());
  process.start();
  return process;
}

/** States: starting → running ⇄ partitioned → draining → stopped. */
class RunnerProcess implements Runner {
  readonly instance = instanceName('runner');
  readonly ready: Promise<void>;
  readonly #options: RunnerOptions;
  readonly #jobs: JobRunner;
  readonly #slots: Slots;
  readonly #link: QueueLink;
  readonly #presence: Presence;
  readonly #logs: LogSender;
  readonly #closeStore: () => Promise<void>;
  #draining = false;
  #registeredAtMs = 0;
  #stopped: Promise<void> | undefined;

  constructor(options: RunnerOptions) {
    const { workerType, config, log } = options;
    this.#options = options;
    const catalogue = compileCatalogue(workerType.functions);
    const beApi = openBeApi({ url: config.beApiUrl, key: config.serviceAccountKey });
    const store = openProfileStore({
      databaseUrl: config.databaseUrl,
      applicationName: `${workerType.type}-runner`,
      onError: (err) => log.warn({ err }, 'a connection to the profile database broke'),
    });
    this.#closeStore = () => store.close();
    const vault = openSecretVault({ key: config.profileEncryptionKey, formerKeys: config.formerEncryptionKeys });
    this.#slots = new Slots(config.slots);
    this.#link = new QueueLink({
      type: workerType.type,
      instance: this.instance,
      slots: config.slots,
      handle: (delivery, letGo) => this.#handle(delivery, letGo),
      log,
    });
    this.#logs = new LogSender(beApi, log);
    const blobs: BlobAccess = new GatewayBlobs(beApi);
    this.#jobs = new JobRunner({
      instance: this.instance,
      profiles: new ProfileCache({ store, catalogue, vault }),
      reports: this.#link,
      blobs: config.directBlobs === undefined ? blobs : directReads(config.directBlobs, blobs),
      orders: new BeApiChildOrders(beApi),
      logs: this.#logs,
      producer: { type: workerType.type, team: workerType.owner.team },
      log,
    });
    this.#presence = new Presence({
      beApi,
      registration: () => ({
        ...commonRegistration(workerType),
        role: 'runner',
        instance: this.instance,
        slots: config.slots,
      }),
      heartbeat: () => this.#heartbeat(),
      onRegistered: async ({ queue }) => {
        if (!queue) throw new Error('be-api told no queue to a runner');
        this.#registeredAtMs = Date.now();
        await this.#link.connect(queue);
      },
      onHeard: (answer) => this.#hear(answer),
      onBeat: (silentMs) => this.#beat(silentMs),
      log,
    });
    this.ready = this.#presence.present;
  }

  start(): void {
    this.#presence.start();
  }

  stop(graceMs = this.#options.config.stopTimeoutMs - STOP_RESERVE_MS): Promise<void> {
    return (this.#stopped ??= this.#stop(Math.max(0, graceMs)));
  }

  #handle(delivery: Delivery, letGo: () => void): Promise<void> {
    return this.#slots.run(() => this.#jobs.handle(delivery, letGo));
  }

  #heartbeat(): Heartbeat {
    const held = new Map<string, HeldAttempt>();
    for (const id of this.#link.held()) {
      const known = parseDeliveryId(id);
      if (known) held.set(id, known);
    }
    for (const attempt of this.#jobs.held()) held.set(`${attempt.jobId}-${attempt.attempt}`, attempt);
    const freeSlots = this.#draining || this.#link.paused ? 0 : this.#slots.free;
    return { freeSlots, draining: this.#draining, held: [...held.values()] };
  }

  #hear(answer: HeartbeatAnswer): void {
    const { log, onDrained } = this.#options;
    for (const held of answer.cancel) this.#jobs.abort('cancelled', held);
    for (const held of answer.stale) this.#jobs.abort('stale', held);
    if (!this.#draining && this.#link.paused) {
      log.info({}, 'be-api answers: taking work again');
      this.#link.resume();
    }
    if (answer.drain === true && !this.#draining) {
      log.info({}, 'told to drain');
      // What runs may take as long as it needs: its timers are the engine's.
      void this.#drain(24 * 60 * 60 * 1000)
        .then(() => this.stop(0))
        .then(() => onDrained?.());
    }
  }

  #beat(silentMs: number): void {
    const { log } = this.#options;
    if (silentMs >= (this.#options.partitionMs ?? PARTITION_MS) && !this.#link.paused) {
      log.warn({ silentMs }, 'be-api has not answered: taking no more work until it does');
      this.#link.pause();
    }
    const nowMs = Date.now();
    const unansweredMs = this.#link.unansweredMs(nowMs);
    if (unansweredMs >= UNANSWERED_MS && nowMs - this.#registeredAtMs >= UNANSWERED_MS) {
      log.warn({ unansweredMs }, 'the queue does not answer: registering again');
      this.#registeredAtMs = nowMs;
      this.#presence.registerAgain();
    }
  }

  async #drain(graceMs: number): Promise<void> {
    this.#draining = true;
    await this.#link.drain(graceMs);
  }

  async #stop(graceMs: number): Promise<void> {
    const abort = setTimeout(() => this.#jobs.abortAll('runner_stopped'), graceMs);
    await this.#drain(graceMs + STOP_RESERVE_MS / 2);
    clearTimeout(abort);
    this.#jobs.close();
    await this.#logs.close();
    await this.#presence.leave();
    await this.#link.close();
    await this.#closeStore();
  }
}
