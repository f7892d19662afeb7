import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { newId, type BlobRef, type JsonValue } from '@connecta/contracts';

interface Order {
  id: string;
  state: string;
  body: { client: string; tasks?: string[]; input: BlobRef };
  result?: JsonValue;
  error?: { code: string; message: string };
}

/** What a test may make of one request: answer it otherwise, or cut the connection before or after the work is done. */
export type Fault = { status: number; code: string } | 'cut-before' | 'cut-after';

/**
 * The four calls of be-api that an inbox uses, with keys as idempotent as be-api's document says; the whole system with
 * the real one is tried in features/. This one fails where a test wants it to.
 */
export class StandInBeApi {
  readonly orders: Order[] = [];
  readonly blobs = new Map<string, { ref: BlobRef; bytes: Buffer; fileName: string }>();
  readonly requests: string[] = [];
  /** Asked for each request. */
  fault: (what: string) => Fault | undefined = () => undefined;
  /** What an order's end is; undefined: it stays active. */
  end: (order: Order) => Partial<Order> | undefined = (order) => ({ state: 'completed', result: order.body.input });
  readonly #keys = new Map<string, { hash: string; answer: object }>();
  #server: Server | undefined;
  #port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Starts, at the same port as before. */
  async start(): Promise<void> {
    this.#server = createServer((req, res) => void this.#serve(req, res).catch(() => res.destroy()));
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }

  makeBlob(bytes: string, mediaType: string): BlobRef {
    return this.#keep(Buffer.from(bytes), mediaType, '');
  }

  #keep(bytes: Buffer, mediaType: string, fileName: string): BlobRef {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const ref: BlobRef = { blobId: newId(), mediaType, size: bytes.length, sha256 };
    this.blobs.set(ref.blobId, { ref, bytes, fileName });
    return ref;
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const url = new URL(req.url ?? '', 'http://be-api');
    const what = `${req.method} ${url.pathname.replace(/\/[0-9a-f-]{36}$/, '/{id}')}`;
    this.requests.push(what);
    const fault = this.fault(what);
    if (fault === 'cut-before') {
      cut(req);
      return;
    }
    const bytes = await buffer(req);
    if (typeof fault === 'object') {
      sendProblem(res, fault.status, fault.code);
      return;
    }
    const key = req.headers['idempotency-key'];
    const answer = key === undefined ? this.#answer(what, url) : this.#once(String(key), what, { bytes, req });
    if (fault === 'cut-after') {
      cut(req);
      return;
    }
    if (answer === undefined) {
      sendProblem(res, 404, 'not_found');
      return;
    }
    if (answer instanceof Buffer) {
      res.end(answer);
      return;
    }
    if (answer === 'mismatch') {
      sendProblem(res, 422, 'idempotency_mismatch');
      return;
    }
    res.writeHead(what === 'GET /v1/orders/{id}' ? 200 : what === 'POST /v1/orders' ? 202 : 201, {
      'content-type': 'application/json',
    });
    res.end(JSON.stringify(answer));
  }

  #once(key: string, what: string, { bytes, req }: { bytes: Buffer; req: IncomingMessage }): object | 'mismatch' {
    const hash = createHash('sha256').update(bytes).digest('hex');
    const known = this.#keys.get(key);
    if (known) return known.hash === hash ? known.answer : 'mismatch';
    const fileName = decodeURIComponent(String(req.headers['connecta-file-name'] ?? ''));
    const answer = what.endsWith('blobs')
      ? this.#keep(bytes, String(req.headers['content-type']), fileName)
      : this.#order(bytes);
    this.#keys.set(key, { hash, answer });
    return answer;
  }

  #order(bytes: Buffer): Order {
    const order: Order = { id: newId(), state: 'active', body: JSON.parse(bytes.toString()) as Order['body'] };
    this.orders.push(order);
    return order;
  }

  #answer(what: string, url: URL): object | Buffer | undefined {
    const id = url.pathname.split('/').at(-1) ?? '';
    if (what === 'GET /v1/blobs/{id}') return this.blobs.get(id)?.bytes;
    const order = this.orders.find((one) => one.id === id);
    return order && Object.assign(order, order.state === 'active' ? this.end(order) : {});
  }
}

function cut(req: IncomingMessage): void {
  req.socket.destroy();
}

function sendProblem(res: ServerResponse, status: number, code: string): void {
  res.writeHead(status, { 'content-type': 'application/problem+json' });
  res.end(JSON.stringify({ type: `urn:connecta:problem:${code}`, title: code, status, code, detail: `it is ${code}` }));
}
