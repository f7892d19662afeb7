import { setTimeout as sleep } from 'node:timers/promises';
import type { Store } from '@connecta/store';
import type { ApiClient } from '../src/api-client.ts';

const PAUSE_MS = 200;
/** Beyond any outage. */
const GIVE_UP_MS = 180_000;
const EVENT = /^id: (\d+)$/gm;

/**
 * Clients that follow the events of orders through every fault, as an EventSource does: where a stream breaks off, they
 * come back with the number of the last event that they have, until they are told that there will be no more (204).
 */
export class Followers {
  readonly #api: ApiClient;
  readonly #following = new Map<string, Promise<number[]>>();
  /** Streams that are being read. */
  open = 0;
  /** Streams that ended before their order had. */
  broken = 0;

  constructor(api: ApiClient) {
    this.#api = api;
  }

  follow(orderId: string): void {
    const numbers = this.#follow(orderId);
    numbers.catch(() => undefined);
    this.#following.set(orderId, numbers);
  }

  /** Checks, of orders that have ended, that each event came once. @throws Error naming the first that does not hold */
  async check(store: Store): Promise<number> {
    for (const [id, following] of this.#following) {
      const numbers = await following;
      const { version } = await store.prisma.order.findUniqueOrThrow({ where: { id }, select: { version: true } });
      const isWhole = numbers.length === version && numbers.every((number, at) => number === at + 1);
      if (!isWhole) throw new Error(`of the ${version} events of order ${id} a follower got ${numbers.join()}`);
    }
    return this.#following.size;
  }

  async #follow(orderId: string): Promise<number[]> {
    const numbers: number[] = [];
    const end = Date.now() + GIVE_UP_MS;
    while (Date.now() < end) {
      const headers = { authorization: `Bearer ${this.#api.key}`, 'last-event-id': String(numbers.at(-1) ?? 0) };
      const response = await fetch(`${this.#api.url}/v1/orders/${orderId}/events`, { headers }).catch(() => null);
      if (response?.status === 204) return numbers;
      if (response?.ok) await this.#read(response, numbers);
      await sleep(PAUSE_MS);
    }
    throw new Error(`the events of order ${orderId} do not end`);
  }

  /** Adds the numbers of a stream's events, as far as it comes; an event that was cut off is none. */
  async #read({ body }: Response, numbers: number[]): Promise<void> {
    this.open++;
    let rest = '';
    try {
      for await (const chunk of (body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream())) {
        const messages = (rest + chunk).split('\n\n');
        rest = messages.pop() ?? '';
        for (const message of messages) {
          for (const [, number] of message.matchAll(EVENT)) numbers.push(Number(number));
        }
      }
    } catch {
      this.broken++;
    } finally {
      this.open--;
    }
  }
}
