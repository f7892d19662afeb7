import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { deliveryId } from '@connecta/contracts';
import { TcpProxy } from '@connecta/embedded';
import { openQueue, type EventReader, type QueueBackend } from '@connecta/queue';
import type { FakeJob } from './fake-job.ts';

/** Where the kit may keep a queue: `redis://…`, or `postgresql://…` of a database for queues. */
export interface QueueServer {
  url: string;
}

/** What a registration tells a runner of its queue. */
interface QueuePlace {
  backend: QueueBackend['kind'];
  url: string;
  prefix: string;
  name: string;
}

/** How long the worker's connections stay away once its next result is on them; undefined: nothing goes wrong. */
interface Loss {
  downMs: number | undefined;
}

/** Deliveries in one call beyond which they travel in packs of two, as they do under a backlog. */
export const BACKLOG = 16;
/** The beginning of what a runner sends when it reports a result. */
const RESULT = Buffer.from('"type":"completed"');

/**
 * The queue and the event stream of the worker's type, under a prefix of this run's own, and the connections of the
 * worker to both: they go through here, to be broken. The worker gets an account that reaches the keys of its type alone.
 */
export class QueueDesk {
  readonly #prefix = `kit-${randomBytes(6).toString('hex')}`;
  readonly #password = randomBytes(24).toString('base64url');
  readonly #backend: QueueBackend;
  readonly #reader: EventReader;
  readonly #types = new Set<string>();
  readonly #proxy: TcpProxy;
  readonly #loss: Loss;
  #reading: Promise<void> | undefined;
  #closing = false;

  private constructor(parts: { url: string; proxy: TcpProxy; loss: Loss }) {
    const kind = parts.url.startsWith('postgres') ? 'postgres' : 'redis';
    this.#proxy = parts.proxy;
    this.#loss = parts.loss;
    this.#backend = openQueue({
      ...{ kind, url: parts.url, prefix: this.#prefix, onError: () => undefined },
      pack: { above: BACKLOG, size: 2, putBackMs: 250 },
    });
    this.#reader = this.#backend.events.reader({ consumer: 'conformance', workerTypes: () => [...this.#types] });
  }

  /** @throws UnusableQueueError, QueueUnavailableError */
  static async open({ url }: QueueServer): Promise<QueueDesk> {
    const loss: Loss = { downMs: undefined };
    const proxy: TcpProxy = await TcpProxy.start({
      target: url,
      watch: (kill) => ({
        fromClient: (chunk) => {
          if (loss.downMs === undefined || !chunk.includes(RESULT)) return;
          void sleep(loss.downMs).then(() => proxy.mend());
          loss.downMs = undefined;
          kill();
          proxy.cut();
        },
      }),
    });
    const desk = new QueueDesk({ url, proxy, loss });
    try {
      await desk.#backend.check();
    } catch (error) {
      await desk.close();
      throw error;
    }
    return desk;
  }

  /** Begins to read reports. */
  start(onReport: (body: unknown) => void): void {
    this.#reading = this.#read(onReport);
  }

  /** Makes the type's account and says where its queue is, by way of the proxy. */
  async placeOf(type: string): Promise<QueuePlace> {
    this.#types.add(type);
    const account = await this.#backend.accounts.assert(type, this.#password);
    const url = new URL(account.url);
    const { hostname, port } = new URL(this.#proxy.url);
    Object.assign(url, { hostname, port });
    return { backend: this.#backend.kind, url: url.href, prefix: this.#prefix, name: type };
  }

  async deliver(type: string, jobs: readonly FakeJob[]): Promise<void> {
    const deliveries = jobs.map((job) => ({
      id: deliveryId(job.jobId, job.attempt),
      name: job.function,
      data: job.message(),
    }));
    await this.#backend.jobs.enqueue(new Map([[type, deliveries]]));
  }

  /** Takes back what waits. */
  async clear(): Promise<void> {
    for (const type of this.#types) {
      const { waiting } = await this.#backend.jobs.ids(type);
      await this.#backend.jobs.remove(type, waiting);
    }
  }

  /** The worker's next report of a result does not arrive: its connections end, and none are let in for a while. */
  loseAResult(downMs: number): { isLost: () => boolean } {
    this.#loss.downMs = downMs;
    return { isLost: () => this.#loss.downMs === undefined };
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#reader.close();
    await this.#reading;
    await this.#proxy.close();
    for (const type of this.#types) await this.#backend.accounts.remove(type).catch(() => undefined);
    await this.#backend.close();
  }

  async #read(onReport: (body: unknown) => void): Promise<void> {
    while (!this.#closing) {
      const batch = await this.#reader.read({ max: 100, blockMs: 500 });
      for (const { body } of batch.events) onReport(body);
      if (batch.events.length > 0) await batch.ack();
    }
  }
}
