import { setTimeout as sleep } from 'node:timers/promises';
import {
  deliveryId,
  leaseKey,
  newId,
  signLease,
  type BeApiOperations,
  type JobId,
  type JobState,
  type OrderState,
  type ProfileId,
} from '@connecta/contracts';
import type { Response, Test } from 'supertest';
import { registration, type Harness } from './harness.ts';

type ClaimedJob = BeApiOperations['claimJobs']['responses'][200]['content']['application/json']['jobs'][number];
type Account = keyof Harness['keys'];

/** Workers that speak HTTP, and jobs for them, as a test plays them. */
export class HttpWorkers {
  readonly #harness: Harness;
  #count = 0;

  constructor(harness: Harness) {
    this.#harness = harness;
  }

  async register(type: Account = 'painter', more: object = {}): Promise<string> {
    const body = registration(type, { transport: 'http', instance: `${type}-h${++this.#count}`, ...more });
    return (await this.#harness.register(body, type)).workerId;
  }

  claim(workerId: string, more: object = {}, as: Account = 'painter'): Test {
    const body = { workerId, slots: 1, waitMs: 5_000, requestId: newId(), ...more };
    return this.#harness.as(as).post('/v1/jobs/claim').send(body);
  }

  post(id: string, what: string, lease: string, body?: object, as: Account = 'painter'): Test {
    return this.#harness.as(as).post(`/v1/jobs/${id}/${what}`).set('connecta-lease', lease).send(body);
  }

  /** A job in the database, and its delivery in the type's queue. */
  async invoke(
    options: { type?: Account; state?: JobState; attempt?: number; orderState?: OrderState; value?: number } = {},
  ): Promise<{ id: JobId; lease: string }> {
    const { type = 'painter', state = 'invoked', attempt = 1, orderState = 'active', value = 5 } = options;
    const { id, orderId } = await this.#harness.job({ workerType: type, state, attempt, orderState });
    const said = { orderId, jobId: id, attempt, workerType: type, expiresAtMs: Date.now() + 60_000 };
    const lease = signLease(leaseKey(this.#harness.leaseKey), said);
    const data = { value, profileId: newId<ProfileId>(), profileRevision: 1, lease, traceparent: '' };
    await this.#harness.queue.jobs.enqueue(new Map([[type, [{ id: deliveryId(id, attempt), name: 'f', data }]]]));
    return { id, lease };
  }
}

/** The jobs in the answer to a claim. */
export function jobsOf(answer: Response): ClaimedJob[] {
  return (answer.body as { jobs: ClaimedJob[] }).jobs;
}

/** Waits until the condition holds. */
export async function until(condition: () => Promise<unknown>, withinMs = 30_000): Promise<void> {
  const end = Date.now() + withinMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not within ${withinMs} ms`);
    await sleep(25);
  }
}
