import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  newId,
  signLease,
  leaseKey,
  type JobId,
  type JsonValue,
  type OrderId,
  type PlanId,
  type WorkerEvent,
  type WorkerInstanceId,
} from '@connecta/contracts';
import { DEFAULT_RETRY } from '@connecta/domain';
import { testServices } from '@connecta/embedded';
import type { Delivery } from '@connecta/queue';
import { Harness, scriptedStep } from './harness.ts';

const services = await testServices();
afterAll(() => services.close());

describe.each(services.queueBackends)('attempts, over the %s queue', (backend) => {
  let harness: Harness;
  let onePlan: PlanId;
  /** Deliveries that the worker holds without an answer, by delivery id. */
  const held = new Map<string, { delivery: Delivery; answer: (value: JsonValue) => void }>();

  beforeAll(async () => {
    harness = await Harness.start(backend);
    await harness.workerType('scripted');
    onePlan = await harness.plan({ steps: { only: scriptedStep([]) }, outputs: ['only'] });
    await harness.orchestrator();
    const holding = (delivery: Delivery): Promise<{ value: JsonValue }> =>
      new Promise((resolve) => held.set(delivery.id, { delivery, answer: (value) => resolve({ value }) }));
    await harness.worker('scripted', holding).ready;
  });
  afterAll(async () => {
    for (const { answer } of held.values()) answer(null);
    await harness.close();
  });

  const until = async <T>(
    find: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  ): Promise<T> => {
    for (const end = Date.now() + 15_000; Date.now() < end;) {
      const found = await find();
      if (found) return found;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error('it did not happen');
  };
  const jobOf = (orderId: OrderId) => harness.store.prisma.job.findFirst({ where: { orderId } });
  /** One order whose first attempt lies in the worker's hands. */
  const begin = async (): Promise<{ orderId: OrderId; jobId: JobId }> => {
    const [orderId] = (await harness.accept([{ planId: onePlan, input: 1 }])) as [OrderId];
    const job = await until(() => jobOf(orderId));
    await until(() => held.has(`${job.id}-1`));
    return { orderId, jobId: job.id as JobId };
  };
  const leaseOf = (orderId: OrderId, jobId: JobId, attempt: number): string =>
    signLease(leaseKey(harness.leaseKey), { orderId, jobId, attempt, workerType: 'scripted', expiresAtMs: 0 });
  const eventOf = (orderId: OrderId, jobId: JobId, attempt: number, what: object): WorkerEvent =>
    ({
      jobId,
      attempt,
      lease: leaseOf(orderId, jobId, attempt),
      instance: 'tester',
      at: new Date().toISOString(),
      ...what,
    }) as WorkerEvent;
  const report = (event: WorkerEvent): Promise<void> => harness.queue.events.publish('scripted', [event]);
  const start = async (orderId: OrderId, jobId: JobId): Promise<void> => {
    await report(eventOf(orderId, jobId, 1, { type: 'started' }));
    await until(async () => (await jobOf(orderId))?.state === 'started');
  };
  const ago = (jobId: JobId, column: string, interval: string): Promise<unknown> =>
    harness.store.pool.query(`UPDATE jobs SET ${column} = now() - interval '${interval}' WHERE id = $1`, [jobId]);

  test('a run that no instance lists is invoked again, and the zombie result is refused and kept aside', async () => {
    const { orderId, jobId } = await begin();
    await start(orderId, jobId);
    await ago(jobId, 'started_at', '31 seconds');
    await until(() => held.has(`${jobId}-2`));
    held.get(`${jobId}-1`)?.answer('zombie');
    const late = await until(() => harness.store.prisma.lateReport.findFirst({ where: { jobId } }));
    expect(late).toMatchObject({ attempt: 1, reason: 'stale_attempt', report: { value: 'zombie' } });
    held.get(`${jobId}-2`)?.answer('second');
    await harness.ended([orderId]);
    expect(await jobOf(orderId)).toMatchObject({
      state: 'completed',
      attempt: 2,
      lost: 1,
      failed: 0,
      result: 'second',
    });
  });

  test('a run that an instance lists is left alone', async () => {
    const { orderId, jobId } = await begin();
    await start(orderId, jobId);
    await harness.store.prisma.jobHold.create({ data: { jobId, attempt: 1, instanceId: newId<WorkerInstanceId>() } });
    await ago(jobId, 'started_at', '31 seconds');
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(await jobOf(orderId)).toMatchObject({ state: 'started', attempt: 1 });
    held.get(`${jobId}-1`)?.answer(1);
    await harness.ended([orderId]);
  });

  test('a run past its complete time counts as failed and comes back after its backoff', async () => {
    const { orderId, jobId } = await begin();
    await start(orderId, jobId);
    await ago(jobId, 'complete_by', '1 second');
    await until(async () => (await jobOf(orderId))?.state === 'pending');
    await until(() => held.has(`${jobId}-2`));
    expect(await jobOf(orderId)).toMatchObject({ attempt: 2, failed: 1, lost: 0 });
    held.get(`${jobId}-2`)?.answer(2);
    await harness.ended([orderId]);
    const states = (await harness.history(orderId)).map((event) => ('state' in event ? event.state : event.type));
    expect(states.slice(0, 5)).toEqual(['active', 'invoked', 'started', 'pending', 'invoked']);
  });

  test('the start clock runs only while the type has a free slot', async () => {
    const { orderId, jobId } = await begin();
    await harness.store.pool.query(
      `UPDATE jobs SET state = 'queued', start_by_clock_ms = 600000, queued_at = now() - interval '1 hour' WHERE id = $1`,
      [jobId],
    );
    await new Promise((resolve) => setTimeout(resolve, 1200));
    expect(await jobOf(orderId)).toMatchObject({ state: 'queued', attempt: 1 });
    await harness.store.pool.query(`UPDATE worker_types SET free_clock_ms = 600001`);
    await until(() => held.has(`${jobId}-2`));
    expect(await jobOf(orderId)).toMatchObject({ attempt: 2, lost: 1 });
    held.get(`${jobId}-2`)?.answer(3);
    await harness.ended([orderId]);
  });

  test('ends in ack_timeout when a type is offline past its limit', async () => {
    await harness.store.pool.query(`UPDATE worker_types SET offline = '{"policy":"fail"}'`);
    const { orderId, jobId } = await begin();
    await ago(jobId, 'invoked_at', '11 seconds');
    await harness.ended([orderId]);
    const order = await harness.store.prisma.order.findUnique({ where: { id: orderId } });
    expect(order).toMatchObject({ state: 'failed', error: { code: 'output_failed' } });
    expect(await jobOf(orderId)).toMatchObject({ state: 'error', error: { code: 'ack_timeout' } });
    await harness.store.pool.query(`UPDATE worker_types SET offline = '{"policy":"wait","limitMs":86400000}'`);
  });

  test('a failure is tried again up to its limit, a permanent one never', async () => {
    const { orderId, jobId } = await begin();
    const error = { kind: 'retryable', code: 'flaky', message: 'not today' };
    for (let attempt = 1; attempt <= DEFAULT_RETRY.maxFailed; attempt++) {
      await until(() => held.has(`${jobId}-${attempt}`));
      await report(eventOf(orderId, jobId, attempt, { type: 'failed', error }));
    }
    await harness.ended([orderId]);
    expect(await jobOf(orderId)).toMatchObject({ state: 'error', attempt: 3, failed: 3, error });
    const second = await begin();
    await report(eventOf(second.orderId, second.jobId, 1, { type: 'failed', error: { ...error, kind: 'permanent' } }));
    await harness.ended([second.orderId]);
    expect(await jobOf(second.orderId)).toMatchObject({ state: 'error', attempt: 1 });
  });

  test('a delivery that its worker gives back goes to others at once and costs no try', async () => {
    const { orderId, jobId } = await begin();
    await start(orderId, jobId);
    const error = { kind: 'retryable', code: 'runner_stopped', message: 'the runner had to stop' };
    await report(eventOf(orderId, jobId, 1, { type: 'failed', error, retryAfterMs: 0 }));
    await until(() => held.has(`${jobId}-2`));
    expect(await jobOf(orderId)).toMatchObject({ attempt: 2, failed: 0, lost: 0, handedBack: 1, notBefore: null });
    held.get(`${jobId}-2`)?.answer(2);
    await harness.ended([orderId]);
    const states = (await harness.history(orderId)).map((event) => ('state' in event ? event.state : event.type));
    expect(states.slice(0, 4)).toEqual(['active', 'invoked', 'started', 'invoked']);
  });

  test('the same report three times, and reports that are forged, change nothing', async () => {
    const { orderId, jobId } = await begin();
    const done = eventOf(orderId, jobId, 1, { type: 'completed', value: { first: true, n: 1 } });
    await report({ ...done, lease: leaseOf(orderId, newId<JobId>(), 1) });
    await report({ ...done, lease: `${done.lease}x` });
    await harness.queue.events.publish('scripted', [done, done]);
    await harness.ended([orderId]);
    await report(done);
    await report(eventOf(orderId, jobId, 1, { type: 'completed', value: 'another' }));
    const late = await until(() =>
      harness.store.prisma.lateReport.findMany({ where: { jobId } }).then((rows) => rows.length > 0 && rows),
    );
    expect(late.map((row) => [row.reason, row.report])).toEqual([
      ['already_ended', expect.objectContaining({ value: 'another' })],
    ]);
    expect(await jobOf(orderId)).toMatchObject({ result: { first: true, n: 1 } });
    const completed = (await harness.history(orderId)).filter(
      (event) => event.type === 'job' && event.state === 'completed',
    );
    expect(completed).toHaveLength(1);
  });

  test('a result that the database cannot hold fails its job and holds nobody else up', async () => {
    const bad = await begin();
    const good = await begin();
    await harness.queue.events.publish('scripted', [
      eventOf(bad.orderId, bad.jobId, 1, { type: 'completed', value: 'a\0b' }),
      eventOf(good.orderId, good.jobId, 1, { type: 'completed', value: 1 }),
    ]);
    await harness.ended([bad.orderId, good.orderId]);
    expect(await jobOf(bad.orderId)).toMatchObject({ state: 'error', error: { code: 'invalid_output' } });
  });
});
