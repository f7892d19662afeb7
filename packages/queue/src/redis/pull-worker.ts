import { createRedisBackend, Job, type IQueueBackend, type JobJson, type WorkerOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import { PullWorker, type Message } from '../consume/pull-worker.ts';
import { FIND_LOCKED_LUA, type Unanswered } from './unanswered.ts';

/** How long a request for work is blocked, in seconds: below the time after which a silent connection is given up. */
const BLOCK_S = 4;
/** A wake that nobody waited for does not stay. */
const WAKE_S = 2 * BLOCK_S;

/** The member of BullMQ's marker that says that messages wait. */
const BASE_MARKER = '0';

export interface RedisPullWorkerOptions {
  worker: WorkerOptions & { connection: Redis };
  /** A connection of this worker alone: blocked while it waits for a message. */
  asking: Redis;
  /** What the queue's keys begin with. */
  keys: string;
  /** Names this worker among those of its queue. */
  id: string;
  /** Of this worker and those that it takes the place of. */
  unanswered: Unanswered;
  onError: (error: unknown) => void;
}

/**
 * Asks Redis for messages with one request instead of BullMQ's two. BullMQ waits at a marker and, once woken, asks for the
 * message. Here both travel at once, on a connection of their own: Redis runs what stands behind a blocked command as soon
 * as that one is answered, so the message comes with the wake, and this process has one turn less.
 *
 * The price: Redis gives a message to whoever waits, also when that one is dead and Redis does not know it yet. Where the
 * connection alone died, the message is found by the request's token; a dead process' is lost work like all that it held.
 */
export class RedisPullWorker extends PullWorker {
  readonly #options: RedisPullWorkerOptions;
  #taker: Promise<IQueueBackend> | undefined;
  readonly #markerKey: string;
  readonly #wakeKey: string;
  /** The first request does not wait: its answer says that the store can be asked. */
  #hasAsked = false;

  constructor(name: string, options: RedisPullWorkerOptions) {
    const { worker, keys, id, onError } = options;
    // Without the connection on which BullMQ would wait.
    super(name, worker, onError, (queue, queueOptions) => createRedisBackend(queue, queueOptions));
    this.#options = options;
    this.#markerKey = `${keys}marker`;
    this.#wakeKey = `${keys}wake:${id}`;
  }

  override async pull(token: string): Promise<{ message: Message | undefined; answered: boolean }> {
    const taker = await (this.#taker ??= this.#openTaker());
    const { asking, unanswered, onError } = this.#options;
    const lost = unanswered.takeDue(Date.now());
    const found = lost.length === 0 ? undefined : await this.#findGiven(lost);
    if (found) return { message: found, answered: true };
    const dueMs = Date.now() + BLOCK_S * 1000;
    const [woken, taken] = await Promise.allSettled([
      this.#hasAsked ? asking.bzpopmin(this.#markerKey, this.#wakeKey, BLOCK_S) : null,
      taker.moveToActive(token, this.opts.name),
    ]);
    if (taken.status === 'rejected') {
      unanswered.add(token, dueMs);
      throw taken.reason;
    }
    if (woken.status === 'rejected') onError(woken.reason);
    this.#hasAsked = true;
    const [data, id] = taken.value as [JobJson | undefined, string | undefined];
    return { message: await this.nextJobFromJobData(data, id, token), answered: true };
  }

  /**
   * Whoever takes a message leaves a marker behind that wakes the next pull in vain, to look twice more. Without it, the
   * look that comes with the end of a message is the last word: what is added later makes a marker of its own, what it
   * finds does so, too.
   */
  override async finish(message: Message, fetchNext: boolean): Promise<Message | undefined> {
    const { worker, onError } = this.#options;
    if (fetchNext) worker.connection.zrem(this.#markerKey, BASE_MARKER).catch(onError);
    return super.finish(message, fetchNext);
  }

  /** By a wake and not by an end of the connection, with which an answer on its way would be lost. */
  override interrupt(): void {
    const { worker, onError } = this.#options;
    worker.connection.zadd(this.#wakeKey, 0, BASE_MARKER).catch(onError);
    worker.connection.expire(this.#wakeKey, WAKE_S).catch(onError);
  }

  override async close(force?: boolean): Promise<void> {
    this.#options.asking.disconnect();
    await super.close(force);
  }

  /** What runs BullMQ's script on the asking connection; loaded beforehand: behind a blocked command it would wait. */
  async #openTaker(): Promise<IQueueBackend> {
    const { worker, asking, onError } = this.#options;
    const taker = createRedisBackend(this.name, { ...worker, connection: asking });
    taker.on('error', onError);
    try {
      await taker.waitUntilReady();
      return taker;
    } catch (error) {
      this.#taker = undefined;
      throw error;
    }
  }

  /** A message that Redis gave for one of these requests. */
  async #findGiven(tokens: readonly string[]): Promise<Message | undefined> {
    const { worker, keys, unanswered } = this.#options;
    let open = tokens;
    try {
      const given = (await worker.connection.eval(FIND_LOCKED_LUA, 1, `${keys}active`, keys, ...tokens)) as string[];
      const [id, token] = given;
      open = tokens.filter((each) => each !== token && given.includes(each));
      if (id === undefined || token === undefined) return undefined;
      const message: Message | undefined = await Job.fromId(this, id);
      if (message) message.token = token;
      return message;
    } finally {
      for (const token of open) unanswered.add(token, Date.now());
    }
  }
}
