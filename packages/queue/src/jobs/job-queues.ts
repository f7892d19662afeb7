import { DeliveryConsumer } from '../consume/consumer.ts';
import { QueueUnavailableError } from '../errors.ts';
import { checkWorkerType } from '../naming.ts';
import type { QueueOptions } from '../options.ts';
import type { ConsumeOptions, Consumer, Delivery, JobQueues } from '../port.ts';
import { within } from '../waiting.ts';
import type { BullStore } from './bull-store.ts';
import { isPackId, memberIds, toMessage, toMessages, type BullMessage, type Pack } from './packs.ts';
import type { TypeQueue } from './type-queue.ts';

/** Messages in one pipeline or statement: a refill of many thousand must not block the store for seconds. */
const BULK = 1_000;

/** The first use of a type may make its tables: it is given this many times the time of a call. */
const PREPARING = 5;

/** The job queues on BullMQ, one per worker type, whatever store it keeps them in. */
export class BullJobQueues implements JobQueues {
  readonly #store: BullStore;
  readonly #options: QueueOptions;
  readonly #queues = new Map<string, Promise<TypeQueue>>();
  readonly #open = new Map<string, TypeQueue>();
  readonly #consumers = new Set<Consumer>();

  constructor(store: BullStore, options: QueueOptions) {
    this.#store = store;
    this.#options = options;
  }

  async enqueue(byType: ReadonlyMap<string, readonly Delivery[]>): Promise<void> {
    const adds: Promise<void>[] = [];
    for (const [workerType, deliveries] of byType)
      if (deliveries.length > 0) adds.push(this.#add(workerType, toMessages(deliveries, this.#options.pack)));
    await Promise.all(adds);
  }

  async #add(workerType: string, messages: BullMessage[]): Promise<void> {
    const queue = await this.#ready(workerType);
    for (let at = 0; at < messages.length; at += BULK) {
      const bulk = messages.length > BULK ? messages.slice(at, at + BULK) : messages;
      await this.#answer(`enqueue for ${workerType}`, queue.addMessages(bulk));
    }
  }

  async counts(workerType: string): Promise<{ waiting: number; active: number }> {
    const queue = await this.#ready(workerType);
    const counts = await this.#answer('counting', queue.messageCounts());
    if (counts.waiting + counts.active === 0) return counts;
    const ids = await this.ids(workerType);
    return { waiting: ids.waiting.length, active: ids.active.length };
  }

  async ids(workerType: string): Promise<{ waiting: string[]; active: string[] }> {
    const queue = await this.#ready(workerType);
    const { waiting, active } = await this.#answer('listing', queue.messageIds());
    return { waiting: waiting.flatMap(memberIds), active: active.flatMap(memberIds) };
  }

  async remove(workerType: string, ids: readonly string[]): Promise<void> {
    const queue = await this.#ready(workerType);
    const bodies = await this.#answer('looking', Promise.all(ids.map((id) => queue.bodyOf(id))));
    const alone = ids.filter((_id, at) => bodies[at] !== undefined);
    const packed = new Set(ids.filter((_id, at) => bodies[at] === undefined));
    await this.#answer('removing', Promise.all(alone.map((id) => queue.removeMessage(id))));
    if (packed.size === 0) return;
    const { waiting, active } = await this.#answer('listing', queue.messageIds());
    for (const messageId of [...waiting, ...active]) {
      if (!memberIds(messageId).some((id) => packed.has(id))) continue;
      // One that is no pack has an id in the lists and no body: nobody can take it, and it would be counted for ever.
      if (!isPackId(messageId)) await this.#answer('removing', queue.removeMessage(messageId));
      else await this.#answer('removing', this.#removeMembers(workerType, queue, messageId, packed));
    }
  }

  /** Makes a pack smaller, unless a live consumer holds it. */
  async #removeMembers(
    workerType: string,
    queue: TypeQueue,
    messageId: string,
    gone: ReadonlySet<string>,
  ): Promise<void> {
    const ids = memberIds(messageId);
    const left = ids.filter((id) => !gone.has(id));
    if (left.length === 0) return queue.removeMessage(messageId);
    const body = await queue.bodyOf(messageId);
    if (body === undefined) return;
    const { pack } = JSON.parse(body) as Pack;
    const deliveries = ids.flatMap((id, at) => {
      const member = pack[at];
      return member && !gone.has(id) ? [{ id, ...member }] : [];
    });
    const smaller = toMessage(deliveries);
    const change = { id: messageId, newId: smaller.opts.jobId, name: smaller.name, data: JSON.stringify(smaller.data) };
    await this.#store.rewrite(workerType, change);
  }

  async hasMarker(workerType: string): Promise<boolean> {
    await this.#ready(workerType);
    return this.#answer('reading the marker', this.#store.hasMarker(workerType));
  }

  async setMarker(workerType: string): Promise<void> {
    const queue = await this.#ready(workerType);
    await this.#answer('settings', queue.writeSettings());
    await this.#answer('setting the marker', this.#store.setMarker(workerType));
  }

  consume(workerType: string, options: ConsumeOptions): Consumer {
    checkWorkerType(workerType);
    const consumer = new DeliveryConsumer({
      openWorker: () => this.#store.openWorker(workerType, options.instance.replace(/[^\w.-]/g, '_')),
      rewrite: (change) => this.#store.rewrite(workerType, change),
      keepsOrder: this.#store.keepsOrder,
      consume: options,
      options: this.#options,
      onClosed: () => this.#consumers.delete(consumer),
    });
    this.#consumers.add(consumer);
    return consumer;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#consumers].map((consumer) => consumer.close(0)));
    const queues = await Promise.allSettled(this.#queues.values());
    for (const queue of queues) if (queue.status === 'fulfilled') await queue.value.close();
  }

  async #ready(workerType: string): Promise<TypeQueue> {
    const open = this.#open.get(workerType);
    if (open && this.#store.isReady(workerType)) return open;
    await this.#answer('connecting', this.#store.ready(checkWorkerType(workerType)), PREPARING);
    let queue = this.#queues.get(workerType);
    if (!queue) {
      queue = this.#store.openQueue(workerType);
      this.#queues.set(workerType, queue);
      queue.catch(() => this.#queues.delete(workerType));
    }
    const opened = await this.#answer('opening the queue', queue);
    this.#open.set(workerType, opened);
    return opened;
  }

  /** @throws QueueUnavailableError when the store is away or too slow */
  async #answer<T>(what: string, work: Promise<T>, patience = 1): Promise<T> {
    try {
      return await within(this.#options.enqueueTimeoutMs * patience, what, work);
    } catch (error) {
      throw this.#store.isAway(error) ? new QueueUnavailableError(what, error) : error;
    }
  }
}
