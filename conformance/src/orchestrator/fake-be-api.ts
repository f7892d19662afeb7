import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { newId, type BeApiOperations } from '@connecta/contracts';
import type { OperationInput } from '@connecta/runtime';
import type { Transport } from '../rules.ts';
import type { FakeJob } from './fake-job.ts';
import { Faults } from './faults.ts';
import type { QueueDesk } from './queue-desk.ts';

export type Registration = OperationInput<BeApiOperations['registerWorker']>['body'];
export type ProfileCopy = NonNullable<Registration['profiles']>[number];

/** A call as the worker made it. */
export interface Call {
  atMs: number;
  method: string;
  path: string;
  status: number;
  /** What was wrong with it, by the OpenAPI document. */
  fault?: string;
}

export interface Claim {
  atMs: number;
  workerId: string;
  slots: number;
  requestId: string;
  waitMs: number;
  /** It was answered, so that the worker knows what came of it. */
  answered: boolean;
  /** When it was answered or given up; it waits until then. */
  closedAtMs?: number;
}

export interface Presence {
  workerId: string;
  registration: Registration;
  gone: boolean;
}

/**
 * be-api as the kit plays it: it speaks the real document, and everything it is told stays to be looked at. What goes
 * wrong is ordered through `faults`; jobs are handed out in the order in which they were given.
 */
export class FakeBeApi {
  readonly key = `sk_${newId()}`;
  readonly faults = new Faults();
  readonly heartbeatMs: number;
  readonly ackMs: number;
  readonly calls: Call[] = [];
  readonly presences: Presence[] = [];
  readonly claims: Claim[] = [];
  readonly jobs: FakeJob[] = [];
  readonly profiles = new Map<string, ProfileCopy>();
  /** Reports on the event stream that are none, and what is wrong with each. */
  readonly badReports: string[] = [];
  /** The queue of workers that do not claim; undefined when the kit was given none. */
  readonly desk: QueueDesk | undefined;
  /** When each heartbeat came, and what it listed. */
  readonly heartbeats: { atMs: number; workerId: string; held: { jobId: string; attempt: number }[] }[] = [];
  /** What each request was given; a repeat gives the same. */
  readonly given = new Map<string, FakeJob[]>();
  drain = false;
  /** When the worker was first told so. */
  drainToldAtMs: number | undefined;
  /** It claimed more than it had slots free. */
  overfull = false;
  /** Counts how often waiting claims were ended. */
  cuts = 0;
  #queue: FakeJob[] = [];
  #server: Server | undefined;
  #url = '';
  readonly #stopping = new AbortController();

  constructor(options: { heartbeatMs: number; ackMs: number; desk?: QueueDesk | undefined }) {
    this.heartbeatMs = options.heartbeatMs;
    this.desk = options.desk;
    this.ackMs = options.ackMs;
  }

  get url(): string {
    return this.#url;
  }

  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Serves on a free port; every call goes through the faults to `app`. */
  async listen(app: RequestListener): Promise<void> {
    const server = createServer((req, res) => {
      const call: Call = {
        atMs: Date.now(),
        method: req.method ?? '',
        path: (req.url ?? '').split('?')[0] ?? '',
        status: 0,
      };
      this.calls.push(call);
      res.once('close', () => (call.status = res.statusCode));
      watchFaults(res, call);
      this.faults.apply(req, res, () => {
        app(req, res);
      });
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    this.#url = `http://127.0.0.1:${port}`;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#server?.closeAllConnections();
    await new Promise<void>((resolve) => (this.#server ? this.#server.close(() => resolve()) : resolve()));
    await this.desk?.close();
  }

  /** Puts jobs where the worker gets them from; `again` are some that it was given before. */
  async give(jobs: readonly FakeJob[], again: readonly FakeJob[] = []): Promise<void> {
    this.jobs.push(...jobs);
    const type = this.#newestRunner?.registration.type;
    if (this.transport === 'http') this.#queue.push(...again, ...jobs);
    else if (type !== undefined) await this.desk?.deliver(type, [...again, ...jobs]);
  }

  /** Up to so many jobs for a claim. */
  take(slots: number): FakeJob[] {
    return this.#queue.splice(0, slots);
  }

  /** Answers every claim that waits, with nothing. */
  cutClaims(): void {
    this.cuts++;
  }

  /** Takes back what was not handed out. */
  async clear(): Promise<void> {
    this.#queue = [];
    await this.desk?.clear();
  }

  find(jobId: string): FakeJob | undefined {
    return this.jobs.find((job) => job.jobId === jobId);
  }

  /** The newest registration that takes jobs, and the newest that serves profiles. */
  get runner(): Presence | undefined {
    return this.presences.findLast(({ registration, gone }) => registration.slots > 0 && !gone);
  }

  /** How the worker gets its jobs, as it registered. */
  get transport(): Transport {
    return this.#newestRunner?.registration.transport ?? 'http';
  }

  /** Of a worker that has left, too: a queue takes jobs whether or not somebody is there. */
  get #newestRunner(): Presence | undefined {
    return this.presences.findLast(({ registration }) => registration.slots > 0);
  }

  get api(): Presence | undefined {
    return this.presences.findLast(({ registration }) => registration.apiUrl !== undefined);
  }

  /** Waits until something holds; false when it does not within the time. */
  async until(holds: () => boolean, withinMs: number): Promise<boolean> {
    const end = Date.now() + withinMs;
    while (!holds()) {
      if (Date.now() > end || this.stopping.aborted) return false;
      await sleep(15);
    }
    return true;
  }
}

/** Notes what the document has against a call, from the problem that answers it. */
function watchFaults(res: ServerResponse, call: Call): void {
  const end = res.end.bind(res);
  res.end = ((...args: unknown[]) => {
    const [body] = args;
    const bad = res.statusCode === 400 || res.statusCode === 401 || res.statusCode === 405 || res.statusCode === 415;
    if (bad && (typeof body === 'string' || body instanceof Uint8Array)) {
      call.fault = `${call.method} ${call.path}: ${Buffer.from(body).toString('utf8').slice(0, 600)}`;
    }
    return (end as (...all: unknown[]) => unknown)(...args);
  }) as typeof end;
}
