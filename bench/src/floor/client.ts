import { randomUUID } from 'node:crypto';
import { Queue, QueueEvents } from 'bullmq';
import type { Contestant } from '../client/contestant.ts';
import { work } from '../work.ts';
import { floorConnection, floorQueues, forgotten } from './queues.ts';
import type { FloorJob } from './queues.ts';

const bulk = 500;

/** The floor's client: adds first jobs, in bulk where it can, and learns of the last ones from BullMQ's events. */
export async function openFloorClient({ redisUrl }: { redisUrl: string }): Promise<Contestant> {
  const connection = floorConnection(redisUrl);
  const first = new Queue<FloorJob>(floorQueues.add, { connection });
  const last = new Queue<FloorJob, number>(floorQueues.subtract, { connection });
  const events = new QueueEvents(floorQueues.subtract, { connection });
  await Promise.all([first.waitUntilReady(), last.waitUntilReady(), events.waitUntilReady()]);
  const client = new FloorClient(first, last, events);
  events.on('completed', ({ jobId, returnvalue }) => client.ended(jobId, returnvalue));
  return client;
}

class FloorClient implements Contestant {
  readonly #first: Queue<FloorJob>;
  readonly #last: Queue<FloorJob, number>;
  readonly #events: QueueEvents;
  readonly #open = new Map<string, (result: unknown) => void>();
  readonly #results = new Map<string, unknown>();
  #idle: (() => void) | undefined;

  constructor(first: Queue<FloorJob>, last: Queue<FloorJob, number>, events: QueueEvents) {
    this.#first = first;
    this.#last = last;
    this.#events = events;
  }

  /** An order's last job has completed, says BullMQ's event stream. */
  ended(orderId: string, result: unknown): void {
    const tell = this.#open.get(orderId);
    if (!tell) return;
    this.#open.delete(orderId);
    tell(result);
    if (this.#open.size === 0) this.#idle?.();
  }

  async placeMany(count: number, submitted: () => void): Promise<readonly string[]> {
    const ids = Array.from({ length: count }, () => randomUUID());
    for (const id of ids) this.#open.set(id, (result) => this.#results.set(id, result));
    for (let at = 0; at < count; at += bulk) {
      await this.#first.addBulk(ids.slice(at, at + bulk).map((id) => ({ name: floorQueues.add, ...firstJob(id) })));
    }
    submitted();
    await this.untilDone();
    return ids;
  }

  async placeOne(): Promise<{ id: string; result: unknown }> {
    const id = randomUUID();
    const ended = new Promise((resolve) => this.#open.set(id, resolve));
    const { data, opts } = firstJob(id);
    await this.#first.add(floorQueues.add, data, opts);
    return { id, result: await ended };
  }

  async submitOne(): Promise<string> {
    const id = randomUUID();
    this.#open.set(id, (result) => this.#results.set(id, result));
    const { data, opts } = firstJob(id);
    await this.#first.add(floorQueues.add, data, opts);
    return id;
  }

  async untilDone(): Promise<void> {
    if (this.#open.size > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    this.#idle = undefined;
  }

  async resultsOf(ids: readonly string[]): Promise<ReadonlyMap<string, unknown>> {
    const results = new Map(ids.map((id) => [id, this.#results.get(id)]));
    for (const id of ids) this.#results.delete(id);
    return results;
  }

  async lookUp(id: string): Promise<unknown> {
    return (await this.#last.getJob(id))?.returnvalue;
  }

  async close(): Promise<void> {
    await Promise.all([this.#first.close(), this.#last.close(), this.#events.close()]);
  }
}

const firstJob = (orderId: string) => ({ data: { orderId, value: work.input }, opts: forgotten });
