import { setTimeout as sleep } from 'node:timers/promises';

/** A job in an order's trace. */
export interface TraceJob {
  jobId?: string;
  uses: string;
  state: string;
  attempt?: number;
  input?: unknown;
  result?: unknown;
  instance?: string;
  startedAt?: string;
  finishedAt?: string;
  error?: { kind: string; code: string; message: string };
}

/** An order as it reads back. */
export interface TraceOrder {
  id: string;
  state: string;
  input?: unknown;
  result?: unknown;
  tasks?: string[];
  error?: { code: string; message: string };
  jobs: Record<string, TraceJob>;
}

export interface Answer<Body> {
  status: number;
  headers: Headers;
  body: Body;
}

/** fe-api as any client sees it: plain HTTP and a key. */
export class ApiClient {
  readonly url: string;
  readonly key: string;

  constructor(url: string, key: string) {
    this.url = url;
    this.key = key;
  }

  /** Sends a request; every status is an answer, JSON bodies are parsed. */
  async send<Body = Record<string, unknown>>(
    method: string,
    path: string,
    options: { body?: unknown; headers?: Record<string, string>; signal?: AbortSignal } = {},
  ): Promise<Answer<Body>> {
    const { body } = options;
    const raw =
      typeof body === 'string' || body instanceof FormData || body instanceof Uint8Array || body === undefined;
    const response = await fetch(`${this.url}${path}`, {
      method,
      ...(options.signal ? { signal: options.signal } : {}),
      headers: {
        authorization: `Bearer ${this.key}`,
        ...(raw ? {} : { 'content-type': 'application/json' }),
        ...options.headers,
      },
      ...(body === undefined
        ? {}
        : { body: raw ? (body as string | FormData | Uint8Array<ArrayBuffer>) : JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = /json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, body: (json ? JSON.parse(text) : text) as Body };
  }

  /** Places an order; throws unless it is accepted. Asks again, under one key, while the gateway is away. */
  async place(body: unknown): Promise<string> {
    const key = crypto.randomUUID();
    const end = Date.now() + 30_000;
    for (;;) {
      const answer = await this.send<{ id: string }>('POST', '/v1/orders', {
        body,
        headers: { 'idempotency-key': key },
      }).catch(() => null);
      if (answer && answer.status < 300) return answer.body.id;
      if ((answer !== null && answer.status < 500) || Date.now() > end) {
        throw new Error(`not accepted: ${JSON.stringify(answer?.body)}`);
      }
      await sleep(200);
    }
  }

  /** Places many orders in one request; throws unless all are accepted. */
  async placeMany(orders: readonly unknown[]): Promise<string[]> {
    const answer = await this.send<{ items: { status: number; id?: string }[] }>('POST', '/v1/orders/batch', {
      body: { orders },
    });
    if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
    return answer.body.items.map((item) => {
      if (item.status !== 202 || item.id === undefined) throw new Error(JSON.stringify(item));
      return item.id;
    });
  }

  async order(id: string): Promise<TraceOrder> {
    const answer = await this.send<TraceOrder>('GET', `/v1/orders/${id}`);
    if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
    return answer.body;
  }

  /** The order once it has ended. */
  async ended(id: string, withinMs = 60_000): Promise<TraceOrder> {
    const end = Date.now() + withinMs;
    for (;;) {
      const order = await this.order(id).catch(() => null);
      if (order && ['completed', 'failed', 'cancelled'].includes(order.state)) return order;
      if (Date.now() > end) throw new Error(`not ended within ${withinMs} ms: ${JSON.stringify(order)}`);
      await sleep(100);
    }
  }

  /** Places an order and waits for its end. */
  async run(body: unknown, withinMs?: number): Promise<TraceOrder> {
    return this.ended(await this.place(body), withinMs);
  }

  as(key: string): ApiClient {
    return new ApiClient(this.url, key);
  }
}
