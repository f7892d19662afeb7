import { setTimeout as sleep } from 'node:timers/promises';
import type { BeApiPaths, ProblemDocument } from '@connecta/contracts';
import createClient, { type Client } from 'openapi-fetch';

/** How to reach be-api, as which service account. */
export interface BeApiOptions {
  url: string;
  /** The key of the worker type's service account, `sk_…`. */
  key: string;
}

/** be-api, typed by its document. */
export interface BeApi {
  readonly calls: Client<BeApiPaths>;
  /** For what the typed client cannot do: bytes in and out. `path` begins with a slash. */
  send(path: string, request: BytesRequest): Promise<Response>;
}

/** A request as `fetch` takes it; a streamed body needs `duplex`. */
export interface BytesRequest {
  method?: 'GET' | 'PUT' | 'POST';
  headers?: Readonly<Record<string, string>>;
  body?: NonNullable<RequestInit['body']>;
  duplex?: 'half';
  signal?: AbortSignal;
}

/** Makes the client of be-api; nothing is connected before the first call. */
export function openBeApi(options: BeApiOptions): BeApi {
  const baseUrl = options.url.replace(/\/+$/, '');
  const headers = { authorization: `Bearer ${options.key}` };
  return {
    calls: createClient<BeApiPaths>({ baseUrl, headers }),
    send: (path, request) => fetch(baseUrl + path, { ...request, headers: { ...headers, ...request.headers } }),
  };
}

/** be-api answered something other than success. */
export class BeApiError extends Error {
  override readonly name = 'BeApiError';
  readonly status: number;
  /** The problem's stable code; `unexpected_answer` when the answer was no problem document. */
  readonly code: string;

  constructor(status: number, problem: Partial<ProblemDocument> | undefined) {
    const faults = (problem?.errors ?? []).map(({ path, message }) => `${path} ${message}`).join('; ');
    super(`be-api answered ${status}: ${problem?.detail ?? problem?.title ?? 'no details'}${faults && ` (${faults})`}`);
    this.status = status;
    this.code = problem?.code ?? 'unexpected_answer';
  }

  /** True when the same call may succeed later: be-api is overloaded, restarting, or cannot reach its stores. */
  get passing(): boolean {
    return this.status >= 500 || this.status === 429 || this.status === 408;
  }
}

/** The data of a typed call. @throws BeApiError for any other answer than a success. */
export async function dataOf<T>(
  call: Promise<{ data?: T | undefined; error?: unknown; response: Response }>,
): Promise<T> {
  const { data, error, response } = await call;
  if (response.ok) return data as T;
  throw new BeApiError(response.status, error as Partial<ProblemDocument> | undefined);
}

/** The error of a call made with {@link BeApi.send}. */
export async function errorOf(response: Response): Promise<BeApiError> {
  const problem = (await response.json().catch(() => undefined)) as Partial<ProblemDocument> | undefined;
  return new BeApiError(response.status, problem);
}

/** True for a call that failed before or without an answer (no connection, cut off), or with a passing one. */
export function isPassing(error: unknown): boolean {
  if (error instanceof BeApiError) return error.passing;
  // `fetch` rejects with TypeError for every network failure, with TimeoutError when AbortSignal.timeout fired.
  return error instanceof TypeError || (error instanceof DOMException && error.name === 'TimeoutError');
}

/**
 * Calls until it succeeds, fails for good, or `tries` are used up; waits in between, longer each time. Only for calls
 * that may be repeated.
 */
export async function withRetries<T>(
  call: () => Promise<T>,
  options: { tries: number; signal: AbortSignal; firstWaitMs?: number },
): Promise<T> {
  const firstWaitMs = options.firstWaitMs ?? 250;
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (attempt >= options.tries || !isPassing(error)) throw error;
      await sleep(Math.min(5_000, firstWaitMs * 2 ** (attempt - 1)), undefined, { signal: options.signal });
    }
  }
}
