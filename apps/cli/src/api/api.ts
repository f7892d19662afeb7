import type { FeApiPaths } from '@connecta/contracts';
import createClient, { type Client } from 'openapi-fetch';
import { CliError, EXIT, ProblemError, UnreachableError } from '../failures.ts';
import type { Page, ProblemDocument } from './shapes.ts';

/** How long a call may take before it counts as not answered; one that waits for something says so itself. */
const TIMEOUT_MS = 60_000;

/** What a call of the generated client comes to. */
interface Outcome<Data> {
  data?: Data;
  error?: unknown;
  response: Response;
}

/** fe-api, by the OpenAPI contract alone. Refusals are thrown as {@link ProblemError}. */
export class Api {
  readonly url: string;
  readonly client: Client<FeApiPaths>;
  readonly #key: string;
  readonly #stopping: AbortSignal;

  constructor(options: { url: string; key: string; stopping: AbortSignal }) {
    this.url = options.url.replace(/\/+$/, '');
    this.#key = options.key;
    this.#stopping = options.stopping;
    this.client = createClient<FeApiPaths>({ baseUrl: this.url, fetch: (request) => this.#send(request) });
  }

  /** The data of a call's answer. @throws ProblemError, UnreachableError */
  async take<Data>(call: Promise<Outcome<Data>>): Promise<Data> {
    return (await this.takeTagged(call)).data;
  }

  /** The data with the `ETag` that a change has to name. */
  async takeTagged<Data>(call: Promise<Outcome<Data>>): Promise<{ data: Data; etag: string }> {
    const { data, error, response } = await call;
    if (!response.ok) throw problemOf(response, error);
    return { data: data as Data, etag: response.headers.get('etag') ?? '' };
  }

  /** Every item of a list, page by page; `most` bounds what is read. */
  async *each<Item>(
    page: (cursor: { cursor?: string }) => Promise<Outcome<Page<Item>>>,
    most = Number.POSITIVE_INFINITY,
  ): AsyncGenerator<Item> {
    let cursor: string | null = null;
    let seen = 0;
    do {
      const next: Page<Item> = await this.take(page(cursor === null ? {} : { cursor }));
      for (const item of next.items) {
        if (seen >= most) return;
        seen += 1;
        yield item;
      }
      cursor = next.nextCursor;
    } while (cursor !== null && seen < most);
  }

  /** {@link each} as one list. */
  async list<Item>(
    page: (cursor: { cursor?: string }) => Promise<Outcome<Page<Item>>>,
    most?: number,
  ): Promise<Item[]> {
    const items: Item[] = [];
    for await (const item of this.each(page, most)) items.push(item);
    return items;
  }

  /** A call that the generated client cannot make: a stream, bytes, tus. Every status is an answer. */
  async raw(
    path: string,
    init: RequestInit & { duplex?: 'half' } = {},
    signal: AbortSignal = AbortSignal.timeout(TIMEOUT_MS),
  ): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${this.#key}`);
    try {
      return await fetch(`${this.url}${path}`, {
        ...init,
        headers,
        signal: AbortSignal.any([this.#stopping, signal]),
      });
    } catch (error) {
      throw this.#networkError(error);
    }
  }

  async #send(request: Request): Promise<Response> {
    request.headers.set('authorization', `Bearer ${this.#key}`);
    try {
      return await fetch(request, { signal: AbortSignal.any([this.#stopping, AbortSignal.timeout(TIMEOUT_MS)]) });
    } catch (error) {
      throw this.#networkError(error);
    }
  }

  #networkError(error: unknown): CliError {
    if (this.#stopping.aborted) return new CliError(EXIT.interrupted, 'Interrupted.');
    return new UnreachableError(this.url, error);
  }
}

/** What a response that is no success says. */
export function problemOf(response: Response, body: unknown): ProblemError | CliError {
  if (isProblem(body)) {
    const requestId = response.headers.get('x-request-id');
    return new ProblemError(response.status >= 500 && requestId !== null ? { ...body, requestId } : body);
  }
  const status = response.status;
  if (status === 404) {
    return new CliError(EXIT.unavailable, `${response.url} answers 404 without a reason: is this a Connecta fe-api?`);
  }
  return new CliError(
    EXIT.unavailable,
    `${new URL(response.url).origin} answered ${status} ${response.statusText}`.trim(),
  );
}

function isProblem(body: unknown): body is ProblemDocument {
  return typeof body === 'object' && body !== null && 'code' in body && 'title' in body && 'status' in body;
}
