import {
  OPENAPI_DOCUMENTS,
  PROBLEMS,
  Problem,
  type Fault,
  type ProblemCode,
  type WorkerApiOperations,
  type WorkerApiPaths,
} from '@connecta/contracts';
import {
  GuardedFetch,
  createAnswerChecker,
  isUnavailable,
  type AllowedHosts,
  type AnswerChecker,
} from '@connecta/runtime';
import { listWorkerTypeSummaries, type Store } from '@connecta/store';
import createClient, { type Client } from 'openapi-fetch';

const RETRY_AFTER_S = '5';
/** Operations about one profile, which may well not exist; that the others do not exist is the type's fault. */
const ABOUT_ONE: ReadonlySet<string> = new Set<keyof WorkerApiOperations>([
  ...(['getProfile', 'replaceProfile', 'deleteProfile'] as const),
  ...(['listProfileRevisions', 'getProfileRevision'] as const),
]);

export type WorkerClient = Client<WorkerApiPaths>;

/** What a call of openapi-fetch brings. */
interface Answered {
  data?: unknown;
  error?: unknown;
  response: Response;
}

/**
 * The worker types' own APIs, called with the gateway's credential: a user's token is never passed on. What a type
 * answers is checked by its document before it goes any further.
 */
export class WorkerApis {
  readonly #store: Store;
  readonly #gatewayKey: string;
  readonly #hosts: AllowedHosts;
  readonly #check: AnswerChecker = createAnswerChecker(OPENAPI_DOCUMENTS.workerApi);
  readonly #http: GuardedFetch;

  constructor(options: { store: Store; gatewayKey: string; hosts: AllowedHosts; timeoutMs: number }) {
    this.#store = options.store;
    this.#gatewayKey = options.gatewayKey;
    this.#hosts = options.hosts;
    this.#http = new GuardedFetch({ timeoutMs: options.timeoutMs });
  }

  /**
   * Calls one operation of a worker type's API.
   *
   * @throws Problem not_found (no such type), worker_unavailable, worker_misbehaved, or the type's own problem.
   */
  async call<T extends Answered>(
    type: string,
    operationId: keyof WorkerApiOperations,
    send: (client: WorkerClient) => Promise<T>,
  ): Promise<{ data: NonNullable<T['data']>; response: Response }> {
    const client = await this.#clientOf(type);
    let answered: T;
    try {
      answered = await send(client);
    } catch (cause) {
      throw failedCall(type, cause);
    }
    const { data, error, response } = answered;
    const body: unknown = response.ok ? data : error;
    if (response.ok || response.status < 500) this.#assertDeclared(type, operationId, response, body);
    if (response.status === 404 && !ABOUT_ONE.has(operationId)) throw misbehaved(type, `does not have ${operationId}`);
    if (!response.ok) throw passedOn(type, response, body);
    return { data: data as NonNullable<T['data']>, response };
  }

  async #clientOf(type: string): Promise<WorkerClient> {
    const [found] = await listWorkerTypeSummaries(this.#store, type);
    if (!found) throw new Problem('not_found', `There is no worker type '${type}'`);
    if (found.apiUrl === '') throw unavailable(type, 'has not said where its API is');
    const fault = this.#hosts.faultOf(found.apiUrl);
    if (fault !== undefined) throw unavailable(type, `is registered with an API URL that ${fault}`);
    return createClient<WorkerApiPaths>({
      baseUrl: found.apiUrl.replace(/\/$/, ''),
      fetch: this.#http.fetch,
      headers: { authorization: `Bearer ${this.#gatewayKey}` },
    });
  }

  #assertDeclared(type: string, operationId: string, response: Response, body: unknown): void {
    const { status, headers } = response;
    const contentType = headers.get('content-type') ?? undefined;
    const faults = this.#check(operationId, { status, contentType, body });
    if (faults.length > 0) throw misbehaved(type, 'answered what its document does not declare', faults);
  }
}

function failedCall(type: string, cause: unknown): Problem {
  const name = cause instanceof Error ? cause.name : '';
  if (isUnavailable(cause) || name === 'TimeoutError' || name === 'AbortError' || name === 'ForbiddenAddressError') {
    return unavailable(type, 'does not answer', cause);
  }
  return misbehaved(type, 'answered what cannot be read', [], cause);
}

/** A problem of the worker type, as it said it: what the user did wrong, or that it cannot serve now. */
function passedOn(type: string, response: Response, body: unknown): Problem {
  if (response.status === 503)
    return unavailable(type, 'cannot serve now', undefined, response.headers.get('retry-after'));
  if (response.status >= 500 || response.status === 401 || response.status === 403) {
    return misbehaved(type, `answered with the status ${response.status}`);
  }
  const {
    code,
    detail,
    errors,
    type: _type,
    title: _title,
    status: _status,
    ...extensions
  } = body as {
    [name: string]: unknown;
    errors?: Fault[];
  };
  if (typeof code !== 'string' || !(code in PROBLEMS) || PROBLEMS[code as ProblemCode].status !== response.status) {
    return misbehaved(type, 'answered with an unknown problem');
  }
  const etag = response.headers.get('etag');
  return new Problem(code as ProblemCode, typeof detail === 'string' ? detail : '', {
    faults: errors ?? [],
    extensions,
    headers: etag === null ? {} : { etag },
  });
}

function unavailable(type: string, why: string, cause?: unknown, retryAfter?: string | null): Problem {
  return new Problem('worker_unavailable', `The API of the worker type '${type}' ${why}`, {
    headers: { 'retry-after': retryAfter ?? RETRY_AFTER_S },
    cause,
  });
}

function misbehaved(type: string, what: string, faults: readonly Fault[] = [], cause?: unknown): Problem {
  return new Problem('worker_misbehaved', `The API of the worker type '${type}' ${what}`, { faults, cause });
}
