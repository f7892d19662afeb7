import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  leaseKey,
  newId,
  signLease,
  type JobId,
  type OrderId,
  type WorkerEvent,
  type WorkerInstanceId,
} from '@connecta/contracts';
import type { TaskStep } from '@connecta/domain';
import { Harness, scriptedStep } from './harness.ts';

let harness: Harness;

beforeAll(async () => {
  harness = await Harness.start();
  for (const type of ['scripted', 'absent', 'idle']) await harness.workerType(type);
  // Takes work and never says anything of it.
  await harness.worker('scripted', () => new Promise(() => {})).ready;
  await harness.orchestrator();
});
afterAll(() => harness.close());

async function until<T>(find: () => Promise<T | null | undefined | false>): Promise<T> {
  for (const end = Date.now() + 20_000; Date.now() < end;) {
    const found = await find();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('it did not happen');
}
const jobOf = (orderId: OrderId) => harness.store.prisma.job.findFirst({ where: { orderId } });

/** One order of one step that is treated like that. */
async function begin(behaviour: Partial<TaskStep>): Promise<{ orderId: OrderId; jobId: JobId }> {
  const step = { ...scriptedStep([]), ...behaviour } as TaskStep;
  const planId = await harness.plan({ steps: { only: step }, outputs: ['only'] });
  const [orderId] = (await harness.accept([{ planId, input: 1 }])) as [OrderId];
  const job = await until(() => jobOf(orderId));
  return { orderId, jobId: job.id as JobId };
}

async function report(orderId: OrderId, jobId: JobId, attempt: number, what: object): Promise<void> {
  const lease = { orderId, jobId, attempt, workerType: 'scripted', expiresAtMs: 0 };
  const head = { jobId, attempt, lease: signLease(leaseKey(harness.leaseKey), lease), instance: 'tester' };
  await harness.queue.events.publish('scripted', [
    { ...head, at: new Date().toISOString(), ...what } as unknown as WorkerEvent,
  ]);
}
const failure = { type: 'failed', error: { kind: 'retryable', code: 'flaky', message: 'not today' } };

describe("a step's own timers", () => {
  test('a run that takes longer than its complete time is over, whatever the system allows', async () => {
    const { orderId, jobId } = await begin({ timers: { completeMs: 200 }, retry: { maxFailed: 1 } });
    await report(orderId, jobId, 1, { type: 'started' });
    await harness.ended([orderId]);
    expect(await jobOf(orderId)).toMatchObject({ state: 'error', error: { code: 'complete_timeout' }, failed: 1 });
  });

  test('progress gives a run its own complete time again, up to its own cap', async () => {
    const { orderId, jobId } = await begin({ timers: { completeMs: 60_000, completeCapMs: 90_000 } });
    await report(orderId, jobId, 1, { type: 'started' });
    const started = await until(async () => (await jobOf(orderId))?.startedAt);
    const limit = async () => Number((await jobOf(orderId))?.completeBy) - Number(started);
    expect(await limit()).toBe(60_000);
    await harness.store.pool.query(`UPDATE jobs SET started_at = now() - interval '80 seconds' WHERE id = $1`, [jobId]);
    await report(orderId, jobId, 1, { type: 'progress', progress: 0.5 });
    await until(async () => (await jobOf(orderId))?.progress);
    const job = await jobOf(orderId);
    expect(Number(job?.completeBy) - Number(job?.startedAt)).toBe(90_000);
  });

  test('what nobody starts although slots are free is lost after its own start time', async () => {
    const instance = { workerType: 'idle', version: '1', language: 'ts', slots: 1, freeSlots: 1, state: 'ready' };
    await harness.store.prisma.workerInstance.create({
      data: { id: newId(), instance: 'i', heartbeatMs: 3_600_000, ...instance },
    });
    const { orderId } = await begin({ workerType: 'idle', timers: { startMs: 300 }, retry: { on: ['retryable'] } });
    await harness.ended([orderId]);
    expect(await jobOf(orderId)).toMatchObject({ state: 'error', error: { code: 'start_timeout' }, lost: 1 });
  });

  test('a job waits for a type that is offline as long as its own policy says', async () => {
    const { orderId } = await begin({ workerType: 'absent', offline: { policy: 'fail', limitMs: 200 } });
    const other = await begin({ workerType: 'absent' });
    await harness.ended([orderId]);
    expect(await jobOf(orderId)).toMatchObject({ state: 'error', error: { code: 'ack_timeout' } });
    expect(await jobOf(other.orderId)).toMatchObject({ state: 'invoked', giveUpAt: null });
  });
});

describe("a step's own retries", () => {
  test('are as many, and as far apart, as it says', async () => {
    const retry = { maxFailed: 2, backoffMs: 40_000, factor: 1, jitter: false };
    const { orderId, jobId } = await begin({ retry });
    const before = Date.now();
    await report(orderId, jobId, 1, failure);
    const job = await until(async () => (await jobOf(orderId))?.state === 'pending' && jobOf(orderId));
    expect(Number(job.notBefore) - before).toBeGreaterThanOrEqual(39_000);
    expect(Number(job.notBefore) - Date.now()).toBeLessThanOrEqual(40_000);
    await harness.store.pool.query(`UPDATE jobs SET not_before = now() WHERE id = $1`, [jobId]);
    await until(async () => (await jobOf(orderId))?.attempt === 2);
    await report(orderId, jobId, 2, failure);
    await harness.ended([orderId]);
    expect(await jobOf(orderId)).toMatchObject({ state: 'error', attempt: 2, failed: 2 });
  });

  test('wait as long as the function asked for', async () => {
    const { orderId, jobId } = await begin({ retry: { backoffMs: 1 } });
    const before = Date.now();
    await report(orderId, jobId, 1, { ...failure, retryAfterMs: 120_000 });
    const job = await until(async () => (await jobOf(orderId))?.state === 'pending' && jobOf(orderId));
    expect(Number(job.notBefore) - before).toBeGreaterThanOrEqual(119_000);
  });

  test('are for the causes that it names alone', async () => {
    const { orderId, jobId } = await begin({ retry: { on: ['lost'] } });
    await report(orderId, jobId, 1, failure);
    await harness.ended([orderId]);
    expect(await jobOf(orderId)).toMatchObject({ state: 'error', attempt: 1, error: { code: 'flaky' } });
  });
});

describe('a job that takes its workers with it', () => {
  /** The attempt runs on an instance that is lost from then on. */
  const crash = async (orderId: OrderId, jobId: JobId, attempt: number): Promise<void> => {
    await until(async () => (await jobOf(orderId))?.attempt === attempt);
    await report(orderId, jobId, attempt, { type: 'started' });
    await until(async () => (await jobOf(orderId))?.state === 'started');
    const instanceId = newId<WorkerInstanceId>();
    const instance = { workerType: 'scripted', version: '1', language: 'ts', slots: 1, freeSlots: 0, state: 'lost' };
    await harness.store.prisma.workerInstance.create({
      data: { id: instanceId, instance: instanceId, heartbeatMs: 5000, ...instance },
    });
    const seenAt = new Date(Date.now() - 31_000);
    await harness.store.prisma.jobHold.create({ data: { jobId, attempt, instanceId, seenAt } });
    await harness.store.pool.query(`UPDATE jobs SET started_at = $2 WHERE id = $1`, [jobId, seenAt]);
  };

  test('is set aside after the third, while others go on', async () => {
    const { orderId, jobId } = await begin({});
    for (const attempt of [1, 2, 3]) await crash(orderId, jobId, attempt);
    await harness.ended([orderId]);
    expect(await jobOf(orderId)).toMatchObject({
      state: 'error',
      attempt: 3,
      ...{ lost: 3, crashed: 3, failed: 0 },
      error: { kind: 'permanent', code: 'poison' },
    });
    const other = await begin({});
    await report(other.orderId, other.jobId, 1, { type: 'completed', value: 1 });
    await harness.ended([other.orderId]);
  });

  test('is set aside as early as its function says', async () => {
    const { orderId, jobId } = await begin({ retry: { maxCrashed: 1 } });
    await crash(orderId, jobId, 1);
    await harness.ended([orderId]);
    expect(await jobOf(orderId)).toMatchObject({ state: 'error', error: { code: 'poison' }, crashed: 1 });
  });
});
