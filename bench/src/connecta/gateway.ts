import { Pool } from 'undici';

/** fe-api as a client's HTTP library sees it: kept-alive connections, JSON, a key. */
export class Gateway {
  readonly #pool: Pool;
  readonly #authorization: string;

  constructor({ url, key, connections }: { url: string; key: string; connections: number }) {
    this.#pool = new Pool(url, { connections, pipelining: 1, headersTimeout: 120_000, bodyTimeout: 120_000 });
    this.#authorization = `Bearer ${key}`;
  }

  /** Sends one request; anything but a 2xx is an error. */
  async send<Answer>(
    method: 'GET' | 'POST',
    path: string,
    options: { body?: unknown; headers?: Readonly<Record<string, string>> } = {},
  ): Promise<Answer> {
    const json = options.body === undefined ? {} : { 'content-type': 'application/json' };
    const { statusCode, body } = await this.#pool.request({
      method,
      path,
      headers: { authorization: this.#authorization, ...json, ...options.headers },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    });
    if (statusCode >= 200 && statusCode < 300) return (await body.json()) as Answer;
    throw new Error(`${method} ${path}: ${statusCode} ${await body.text()}`);
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}
