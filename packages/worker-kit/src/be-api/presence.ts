import { setTimeout as sleep } from 'node:timers/promises';
import type { BeApiOperations } from '@connecta/contracts';
import type { Logger } from '@connecta/runtime';
import { BeApiError, dataOf, type BeApi } from './client.ts';

type Json<T> = T extends { content: { 'application/json': infer Body } } ? Body : never;
/** What a process says of itself. */
export type Registration = Json<NonNullable<BeApiOperations['registerWorker']['requestBody']>>;
/** What it is told. */
export type Registered = Json<BeApiOperations['registerWorker']['responses'][201]>;
/** What it says while it lives. */
export type Heartbeat = Json<NonNullable<BeApiOperations['recordHeartbeat']['requestBody']>>;
/** What it is told then. */
export type HeartbeatAnswer = Json<BeApiOperations['recordHeartbeat']['responses'][200]>;

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 3_000;
const CALL_TIMEOUT_MS = 10_000;

export interface PresenceOptions {
  beApi: BeApi;
  /** Asked before each registration: what is told is always as it is now. */
  registration: () => Registration | Promise<Registration>;
  heartbeat: () => Heartbeat;
  onRegistered?: (registered: Registered) => Promise<unknown>;
  onHeard?: (answer: HeartbeatAnswer) => void;
  /** Called before each beat with the time since be-api last answered. */
  onBeat?: (silentMs: number) => void;
  log: Logger;
}

/**
 * A process's presence at be-api. States: absent (registers, again and again, however long be-api is away) → present
 * (a heartbeat every `heartbeatMs`; told that it is unknown, it is absent again) → left.
 */
export class Presence {
  readonly #options: PresenceOptions;
  readonly #stop = new AbortController();
  readonly #first: { promise: Promise<void>; resolve: () => void } = Promise.withResolvers();
  #loop: Promise<void> | undefined;
  #registered: Registered | undefined;
  #lastHeardMs = Date.now();
  #failures = 0;

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  /** Resolves at the first registration. */
  get present(): Promise<void> {
    return this.#first.promise;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Registers anew with the next beat, e.g. because the queue's account may be gone. */
  registerAgain(): void {
    this.#registered = undefined;
  }

  /** One step: a registration or a heartbeat. Returns the time to wait for the next one, in milliseconds. */
  async tick(): Promise<number> {
    this.#options.onBeat?.(Date.now() - this.#lastHeardMs);
    try {
      const known = this.#registered;
      const now = known ?? (await this.#register());
      if (known) await this.#beat(known.workerId);
      else this.#registered = now;
      this.#heard();
      // A registration that was asked for meanwhile is due at once.
      return this.#registered === now ? now.heartbeatMs : 0;
    } catch (err) {
      return this.#failed(err);
    }
  }

  /** Ends the loop and says goodbye; bounded. */
  async leave(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
    const id = this.#registered?.workerId;
    this.#registered = undefined;
    if (id === undefined) return;
    const { calls } = this.#options.beApi;
    const left = calls.DELETE('/v1/workers/{id}', { params: { path: { id } }, signal: AbortSignal.timeout(2_000) });
    await dataOf(left).catch((err: unknown) => this.#options.log.warn({ err }, 'could not say goodbye to be-api'));
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const waitMs = await this.tick();
      await sleep(waitMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
  }

  async #register(): Promise<Registered> {
    const { beApi, registration, onRegistered, log } = this.#options;
    const body = await registration();
    const registered = await dataOf(beApi.calls.POST('/v1/workers', { body, signal: this.#timeout() }));
    await onRegistered?.(registered);
    const { breaks } = registered;
    if (breaks) log.warn({ breaks }, 'what others built on has changed: these do not fit any more');
    log.info({ workerId: registered.workerId, role: body.role }, 'registered at be-api');
    this.#first.resolve();
    return registered;
  }

  async #beat(id: string): Promise<void> {
    const { beApi, heartbeat, onHeard } = this.#options;
    const params = { path: { id } };
    const call = beApi.calls.POST('/v1/workers/{id}/heartbeat', {
      params,
      body: heartbeat(),
      signal: this.#timeout(),
    });
    const answer = await dataOf(call);
    onHeard?.(answer);
  }

  #timeout(): AbortSignal {
    return AbortSignal.any([this.#stop.signal, AbortSignal.timeout(CALL_TIMEOUT_MS)]);
  }

  #heard(): void {
    if (this.#failures > 0) this.#options.log.info({ failures: this.#failures }, 'be-api answers again');
    this.#failures = 0;
    this.#lastHeardMs = Date.now();
  }

  #failed(err: unknown): number {
    if (this.#stop.signal.aborted) return 0;
    if (err instanceof BeApiError && (err.status === 404 || err.status === 410) && this.#registered) {
      this.#options.log.warn({ code: err.code }, 'be-api does not know this process any more: registering again');
      this.#registered = undefined;
      return 0;
    }
    const what = this.#registered ? 'a heartbeat failed' : 'could not register at be-api';
    if (this.#failures === 0) this.#options.log.warn({ err }, `${what}; trying until it succeeds`);
    else this.#options.log.debug({ err, failures: this.#failures }, what);
    this.#failures++;
    const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(this.#failures - 1, 10));
    return waitMs * (0.75 + Math.random() / 2);
  }
}
