import { createRedisBackend, Queue } from 'bullmq';
import { checkWorkerType, typeKeys } from '../naming.ts';
import type { QueueOptions } from '../options.ts';
import type { ConsumeOptions, Consumer, Delivery, JobQueues } from '../port.ts';
import { DeliveryConsumer } from '../consume/consumer.ts';
import { PullWorker } from '../consume/pull-worker.ts';
import { within } from '../waiting.ts';
import type { RedisConnections } from './connections.ts';

/** Deliveries in one pipeline: a refill of many thousand must not block Redis for seconds. */
const BULK = 1_000;
/** BullMQ's own event stream, which nobody reads here. */
const BULLMQ_EVENTS = 10;

/** BullMQ queues on Redis, one per worker type, all behind one connection. */
export class RedisJobQueues implements JobQueues {
  readonly #connections: RedisConnections;
  readonly #prefix: string;
  readonly #options: QueueOptions;
  readonly #queues = new Map<string, Queue>();
  readonly #consumers = new Set<Consumer>();

  constructor(connections: RedisConnections, prefix: string, options: QueueOptions) {
    this.#connections = connections;
    this.#prefix = prefix;
    this.#options = options;
  }

  async enqueue(byType: ReadonlyMap<string, readonly Delivery[]>): Promise<void> {
    await this.#connections.briskReady(this.#options.enqueueTimeoutMs);
    const adds: Promise<void>[] = [];
    for (const [workerType, deliveries] of byType)
      if (deliveries.length > 0) adds.push(this.#add(workerType, deliveries));
    await Promise.all(adds);
  }

  async #add(workerType: string, deliveries: readonly Delivery[]): Promise<void> {
    const queue = this.#queue(workerType);
    for (let at = 0; at < deliveries.length; at += BULK) {
      const bulk = deliveries
        .slice(at, at + BULK)
        .map(({ id, name, data }) => ({ name, data, opts: { jobId: id, attempts: 1 } }));
      await within(this.#options.enqueueTimeoutMs, `enqueue for ${workerType}`, queue.addBulk(bulk));
    }
  }

  async counts(workerType: string): Promise<{ waiting: number; active: number }> {
    await this.#connections.briskReady(this.#options.enqueueTimeoutMs);
    const [waiting = 0, active = 0] = await this.#queue(workerType).getBackend().getCounts(['waiting', 'active']);
    return { waiting, active };
  }

  async ids(workerType: string): Promise<{ waiting: string[]; active: string[] }> {
    await this.#connections.briskReady(this.#options.enqueueTimeoutMs);
    const [waiting = [], active = []]: string[][] = await this.#queue(workerType)
      .getBackend()
      .getRanges(['waiting', 'active'], 0, -1);
    return { waiting, active };
  }

  async remove(workerType: string, ids: readonly string[]): Promise<void> {
    await this.#connections.briskReady(this.#options.enqueueTimeoutMs);
    const backend = this.#queue(workerType).getBackend();
    await Promise.all(ids.map((id) => backend.remove(id, false)));
  }

  async hasMarker(workerType: string): Promise<boolean> {
    const redis = await this.#connections.briskReady(this.#options.enqueueTimeoutMs);
    return (await redis.exists(typeKeys(this.#prefix, checkWorkerType(workerType)).filled)) === 1;
  }

  async setMarker(workerType: string): Promise<void> {
    const redis = await this.#connections.briskReady(this.#options.enqueueTimeoutMs);
    const queue = this.#queue(workerType);
    await queue
      .getBackend()
      .setQueueMeta({ 'opts.maxLenEvents': BULLMQ_EVENTS, version: queue.metaValues.version ?? '' });
    await redis.set(typeKeys(this.#prefix, workerType).filled, new Date().toISOString());
  }

  consume(workerType: string, options: ConsumeOptions): Consumer {
    checkWorkerType(workerType);
    const open = (): PullWorker =>
      new PullWorker(
        workerType,
        {
          connection: this.#connections.patient,
          prefix: this.#prefix,
          name: options.instance.replace(/[^\w.-]/g, '_'),
          lockDuration: this.#options.lockMs,
          skipStalledCheck: true,
          removeOnComplete: { count: 0 },
          removeOnFail: { count: 0 },
        },
        this.#options.onError,
        createRedisBackend,
      );
    const consumer = new DeliveryConsumer(open, options, this.#options);
    this.#consumers.add(consumer);
    return consumer;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#consumers].map((consumer) => consumer.close(0)));
    await Promise.all([...this.#queues.values()].map((queue) => queue.close()));
  }

  #queue(workerType: string): Queue {
    let queue = this.#queues.get(workerType);
    if (!queue) {
      queue = new Queue(checkWorkerType(workerType), {
        connection: this.#connections.brisk,
        prefix: this.#prefix,
        streams: { events: { maxLen: BULLMQ_EVENTS } },
        skipVersionCheck: true,
      });
      queue.on('error', this.#options.onError);
      this.#queues.set(workerType, queue);
    }
    return queue;
  }
}
