import { setTimeout as sleep } from 'node:timers/promises';

/** One step of an order as it reads back. */
export interface Job {
  readonly uses: string;
  readonly state: string;
  readonly input?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
}

/** An order as it reads back: the whole trace. */
export interface Order {
  readonly id: string;
  readonly state: string;
  readonly input?: unknown;
  readonly result?: unknown;
  readonly jobs: Readonly<Record<string, Job>>;
}

const pollMs = 250;

/** fe-api as a client sees it: an address, a key, plain HTTP. */
export class Gateway {
  readonly #url: string;
  readonly #key: string;

  constructor({ url, key }: { url: string; key: string }) {
    this.#url = url;
    this.#key = key;
  }

  /** Sends a request and returns the answer; anything but 2xx and the statuses `also` named is an error. */
  async send(
    method: string,
    path: string,
    options: { body?: unknown; also?: number[]; wait?: number } = {},
  ): Promise<Response> {
    const { body, also = [], wait } = options;
    const raw = body === undefined || body instanceof FormData;
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#key}`,
        ...(raw ? {} : { 'content-type': 'application/json' }),
        ...(method === 'POST' ? { 'idempotency-key': crypto.randomUUID() } : {}),
        ...(wait === undefined ? {} : { prefer: `wait=${wait}` }),
      },
      ...(body === undefined ? {} : { body: body instanceof FormData ? body : JSON.stringify(body) }),
    });
    if (response.ok || also.includes(response.status)) return response;
    throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  }

  /** Places an order and waits for its end. */
  async order(body: unknown, timeoutMs: number): Promise<Order> {
    const deadline = Date.now() + timeoutMs;
    const answer = await this.send('POST', '/v1/orders', { body, wait: 30 });
    let order = (await answer.json()) as Order;
    while (!['completed', 'failed', 'cancelled'].includes(order.state)) {
      if (Date.now() > deadline) throw new Error(`order ${order.id} is still ${order.state} after ${timeoutMs} ms`);
      await sleep(pollMs);
      order = (await (await this.send('GET', `/v1/orders/${order.id}`)).json()) as Order;
    }
    return order;
  }

  async bytes(blobId: string): Promise<Buffer> {
    return Buffer.from(await (await this.send('GET', `/v1/blobs/${blobId}`)).arrayBuffer());
  }
}
