import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiClient } from '../src/api-client.ts';
import { until } from '../src/system.ts';
import { Followers } from './followers.ts';
import type { Random } from './random.ts';

const CALLERS = 12;
const GAP_MS = 30;
/** One of so many callers does not wait for its answer and asks again; one of so many asks twice at once. */
const IMPATIENT_ONE_IN = 12;
const DOUBLE_ONE_IN = 12;
/** Beyond any outage. */
const GIVE_UP_MS = 120_000;
const TASKS = ['probe/steady', 'probe/steady', 'probe/steady'];
/** Of one order of so many somebody follows the events. */
const FOLLOWED_ONE_IN = 20;
/** Every tenth order leaves a blob behind. */
const KEEPING = ['probe/steady', 'probe/keeping', 'probe/steady'];

/** What the clients of a run met. */
export interface Met {
  /** Requests without an answer, after each of which the same order was asked for again. */
  unanswered: number;
  /** Answers 503 with `Retry-After`. */
  refused: number;
  /** Orders that were asked for more than once. */
  repeated: number;
  /** The longest that a client asked until its order was accepted. */
  longestMs: number;
}

/** Orders that flow in while faults are injected, each under a key, from clients that ask again as clients do. */
export class Flow {
  readonly #api: ApiClient;
  readonly #random: Random;
  /** Marks the orders of this run. */
  readonly mark = crypto.randomUUID();
  readonly ids: string[] = [];
  readonly followers: Followers;
  readonly met: Met = { unanswered: 0, refused: 0, repeated: 0, longestMs: 0 };
  /** Requests on their way. */
  pending = 0;
  #due = 0;
  #next = 0;
  #accepted = 0;
  #stopped = false;
  #fault: Error | undefined;
  readonly #callers: Promise<unknown>;

  constructor(api: ApiClient, random: Random) {
    this.#api = api;
    this.#random = random;
    this.followers = new Followers(api);
    this.#callers = Promise.all(Array.from({ length: CALLERS }, () => this.#call()));
    this.#callers.catch(() => undefined);
  }

  /** Lets so many orders flow in, all in all. */
  release(due: number): void {
    this.#due = due;
  }

  /** Places one more order at once, whose events somebody follows, and gives the status of the first answer. */
  async placeNow(): Promise<number> {
    return this.#place(this.#next++, 'plain', true);
  }

  /** Resolves when all that are due are accepted. @throws Error of what a client must never meet */
  async accepted(): Promise<number> {
    await until(() => Promise.resolve(this.#fault !== undefined || this.#accepted >= this.#due), GIVE_UP_MS);
    if (this.#fault) throw this.#fault;
    return this.#accepted;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#callers.catch(() => undefined);
  }

  async #call(): Promise<void> {
    while (!this.#stopped && !this.#fault) {
      if (this.#next >= this.#due) {
        await sleep(20);
        continue;
      }
      const chance = this.#random.below(IMPATIENT_ONE_IN * DOUBLE_ONE_IN);
      const manner = chance % IMPATIENT_ONE_IN === 0 ? 'impatient' : chance % DOUBLE_ONE_IN === 1 ? 'double' : 'plain';
      await this.#place(this.#next++, manner).catch((error: unknown) => {
        this.#fault ??= error as Error;
      });
      await sleep(GAP_MS);
    }
  }

  async #place(
    index: number,
    manner: 'plain' | 'impatient' | 'double',
    isFollowed = index % FOLLOWED_ONE_IN === 0,
  ): Promise<number> {
    const key = crypto.randomUUID();
    const since = Date.now();
    const statuses: number[] = [];
    const ask = (patienceMs?: number): Promise<string> => this.#ask(index, { key, since, statuses, patienceMs });
    if (manner !== 'plain') this.met.repeated++;
    const ids =
      manner === 'double'
        ? await Promise.all([ask(), ask()])
        : [await ask(manner === 'impatient' ? 1 + (index % 20) : undefined)];
    this.met.longestMs = Math.max(this.met.longestMs, Date.now() - since);
    if (new Set(ids).size !== 1) throw new Error(`order ${index} was placed as ${ids.join(' and ')}`);
    this.ids[index] = ids[0] as string;
    if (isFollowed) this.followers.follow(ids[0] as string);
    this.#accepted++;
    return statuses[0] ?? 0;
  }

  /** Asks until the order is accepted, under one key. */
  async #ask(
    index: number,
    {
      key,
      since,
      statuses,
      patienceMs,
    }: { key: string; since: number; statuses: number[]; patienceMs?: number | undefined },
  ): Promise<string> {
    const tasks = index % 10 === 0 ? KEEPING : TASKS;
    const body = { client: 'default', input: index, tasks, params: { run: this.mark } };
    for (let asked = 0; ; asked++) {
      const signal = AbortSignal.timeout(asked === 0 && patienceMs !== undefined ? patienceMs : 20_000);
      this.pending++;
      const answer = await this.#api
        .send<{ id: string }>('POST', '/v1/orders', { body, headers: { 'idempotency-key': key }, signal })
        .catch(() => null)
        .finally(() => this.pending--);
      if (answer) statuses.push(answer.status);
      if (answer && answer.status < 300) return answer.body.id;
      if (answer === null) this.met.unanswered++;
      else if (answer.status === 503 && answer.headers.has('retry-after')) this.met.refused++;
      else throw new Error(`order ${index} was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
      if (Date.now() - since > GIVE_UP_MS) throw new Error(`order ${index} was not accepted in ${GIVE_UP_MS} ms`);
      await sleep(200);
    }
  }
}
