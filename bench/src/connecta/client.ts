import { setTimeout as sleep } from 'node:timers/promises';
import type { Contestant } from '../client/contestant.ts';
import { work } from '../work.ts';
import { Gateway } from './gateway.ts';

/** What the batch call takes at most. */
const batchSize = 1_000;
const connections = 32;
const pollMs = 20;

interface Order {
  readonly id: string;
  readonly state: string;
  readonly result?: unknown;
}

interface Outcome {
  readonly status: number;
  readonly id?: string;
}

/** Connecta's client: nothing but HTTP to fe-api, over connections that are kept alive. */
export async function openConnectaClient(plan: {
  url: string;
  key: string;
  tasks: readonly string[];
}): Promise<Contestant> {
  return new ConnectaClient(new Gateway({ ...plan, connections }), { input: work.input, tasks: plan.tasks });
}

/** A client whose orders are all alike. */
export class ConnectaClient implements Contestant {
  readonly #gateway: Gateway;
  readonly #order: unknown;
  readonly #valueOf: (result: unknown) => unknown;

  /** `valueOf` makes the work's result of an order's. */
  constructor(
    gateway: Gateway,
    order: Readonly<Record<string, unknown>>,
    valueOf: (result: unknown) => unknown = (result) => result,
  ) {
    this.#gateway = gateway;
    this.#order = order;
    this.#valueOf = valueOf;
  }

  async placeMany(count: number, submitted: () => void): Promise<readonly string[]> {
    const ids: string[] = [];
    for (let at = 0; at < count; at += batchSize) {
      const orders = Array.from({ length: Math.min(batchSize, count - at) }, () => this.#order);
      const { items } = await this.#gateway.send<{ items: Outcome[] }>('POST', '/v1/orders/batch', {
        body: { orders },
      });
      for (const { status, id } of items) {
        if (status !== 202 || id === undefined) throw new Error(`an order was answered ${status}`);
        ids.push(id);
      }
    }
    submitted();
    await this.untilDone();
    return ids;
  }

  async submitOne(): Promise<string> {
    return (await this.#gateway.send<Order>('POST', '/v1/orders', { body: this.#order })).id;
  }

  async placeOne(): Promise<{ id: string; result: unknown }> {
    const order = await this.#gateway.send<Order>('POST', '/v1/orders', {
      body: this.#order,
      headers: { prefer: 'wait=30' },
    });
    return { id: order.id, result: await this.#valueOf(order.result) };
  }

  /** Nobody else places orders here, so all are done when the list of those under way is empty. */
  async untilDone(): Promise<void> {
    const path = '/v1/orders?state=accepted&state=active&limit=1';
    while ((await this.#gateway.send<{ items: unknown[] }>('GET', path)).items.length > 0) await sleep(pollMs);
  }

  async resultsOf(ids: readonly string[]): Promise<ReadonlyMap<string, unknown>> {
    const results = new Map<string, unknown>();
    const open = ids.values();
    const reader = async (): Promise<void> => {
      for (const id of open) results.set(id, await this.lookUp(id));
    };
    await Promise.all(Array.from({ length: connections }, reader));
    return results;
  }

  async lookUp(id: string): Promise<unknown> {
    const order = await this.#gateway.send<Order>('GET', `/v1/orders/${id}`);
    if (order.state !== 'completed') throw new Error(`order ${id} is ${order.state}`);
    return this.#valueOf(order.result);
  }

  close(): Promise<void> {
    return this.#gateway.close();
  }
}
