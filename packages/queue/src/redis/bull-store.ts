import { randomUUID } from 'node:crypto';
import { createRedisBackend } from 'bullmq';
import type { PullWorker } from '../consume/pull-worker.ts';
import type { BullStore, Rewrite } from '../jobs/bull-store.ts';
import type { BullMessage } from '../jobs/packs.ts';
import { TypeQueue } from '../jobs/type-queue.ts';
import { typeKeys } from '../naming.ts';
import type { QueueOptions } from '../options.ts';
import type { RedisConnections } from './connections.ts';
import { RedisPullWorker } from './pull-worker.ts';
import { REWRITE_LUA } from './rewrite.ts';
import { Unanswered } from './unanswered.ts';

const AWAY = /Stream isn't writeable|Connection is closed|ECONNREFUSED|ECONNRESET|Command aborted|^LOADING/;

/** Adds one message by itself without a pipeline, into which ioredis copies all of BullMQ's 60 scripts first. */
class RedisTypeQueue extends TypeQueue {
  override async addMessages(messages: readonly BullMessage[]): Promise<void> {
    const [only, ...others] = messages;
    if (only && others.length === 0) await this.add(only.name, only.data, only.opts);
    else await super.addMessages(messages);
  }
}

/** BullMQ's queues in Redis: keys `<prefix>:<type>:…`, all producers of a process behind one connection. */
export class RedisBullStore implements BullStore {
  readonly keepsOrder = true;
  readonly #connections: RedisConnections;
  readonly #prefix: string;
  readonly #options: QueueOptions;
  readonly #unanswered = new Map<string, Unanswered>();

  constructor(connections: RedisConnections, prefix: string, options: QueueOptions) {
    this.#connections = connections;
    this.#prefix = prefix;
    this.#options = options;
  }

  isReady(): boolean {
    return this.#connections.brisk.status === 'ready';
  }

  async ready(): Promise<void> {
    await this.#connections.briskReady(this.#options.enqueueTimeoutMs);
  }

  openQueue(workerType: string): Promise<TypeQueue> {
    const options = { connection: this.#connections.brisk, prefix: this.#prefix, skipVersionCheck: true };
    return Promise.resolve(new RedisTypeQueue(workerType, options, this.#options.onError, createRedisBackend));
  }

  openWorker(workerType: string, instance: string): Promise<PullWorker> {
    const { lockMs, onError } = this.#options;
    const worker = {
      connection: this.#connections.patient,
      prefix: this.#prefix,
      name: instance,
      lockDuration: lockMs,
      skipStalledCheck: true,
      skipVersionCheck: true,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    };
    const reader = `${workerType} ${instance}`;
    const unanswered = this.#unanswered.get(reader) ?? new Unanswered();
    this.#unanswered.set(reader, unanswered);
    const options = {
      ...{ worker, unanswered, onError },
      asking: this.#connections.open({ maxRetriesPerRequest: 0, autoResendUnfulfilledCommands: false }),
      keys: `${this.#prefix}:${workerType}:`,
      id: randomUUID(),
    };
    return Promise.resolve(new RedisPullWorker(workerType, options));
  }

  isAway(error: unknown): boolean {
    return error instanceof Error && (error.name === 'MaxRetriesPerRequestError' || AWAY.test(error.message));
  }

  async hasMarker(workerType: string): Promise<boolean> {
    return (await this.#connections.brisk.exists(typeKeys(this.#prefix, workerType).filled)) === 1;
  }

  async setMarker(workerType: string): Promise<void> {
    await this.#connections.brisk.set(typeKeys(this.#prefix, workerType).filled, new Date().toISOString());
  }

  async rewrite(workerType: string, { id, newId, name, data, token = '' }: Rewrite): Promise<boolean> {
    const key = (part: string): string => `${this.#prefix}:${workerType}:${part}`;
    const keys = ['wait', 'active', id, newId, `${id}:lock`, `${newId}:lock`].map(key);
    // A consumer's calls go where its locks are, an orchestrator's over the connection that does not wait for Redis.
    const redis = token === '' ? this.#connections.brisk : this.#connections.patient;
    return (await redis.eval(REWRITE_LUA, keys.length, ...keys, id, newId, name, data, token)) === 1;
  }
}
