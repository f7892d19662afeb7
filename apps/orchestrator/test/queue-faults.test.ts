import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  deliveryId,
  leaseKey,
  newId,
  signLease,
  type JobId,
  type JsonValue,
  type OrderId,
  type PlanId,
} from '@connecta/contracts';
import { DEFAULT_TIMERS } from '@connecta/domain';
import type { Delivery, QueueBackend } from '@connecta/queue';
import { silentLogger } from '@connecta/runtime';
import { readReport } from '../src/advance/read-report.ts';
import type { Command } from '../src/engine/command.ts';
import { moveAttempts, type FoundAttempt } from '../src/engine/move-attempts.ts';
import { Reconciler } from '../src/recover/reconciler.ts';
import { apply, expectConsistent, jobsOf, launch } from './direct.ts';
import { Harness, scriptedStep } from './harness.ts';
import { TcpProxy } from '@connecta/embedded';

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('the queue fails', () => {
  let harness: Harness;
  let one: PlanId;
  beforeAll(async () => {
    harness = await Harness.start();
    await harness.workerType('scripted');
    one = await harness.plan({ steps: { only: scriptedStep([]) }, outputs: ['only'] });
  });
  afterAll(() => harness.close());

  const accept = (count: number): Promise<OrderId[]> =>
    harness.accept(Array.from({ length: count }, (_, i) => ({ planId: one, input: i })));

  test('a crash between commit and enqueue: the reconciler sends what is missing, however much, under a new attempt', async () => {
    const ids = await accept(25);
    const parts = harness.parts();
    await launch(harness, parts);
    const reconciler = new Reconciler({
      ...{ store: harness.store, queues: harness.queue.jobs, log: silentLogger(), timers: DEFAULT_TIMERS, limit: 10 },
      apply: async (found) => {
        const { commands } = await moveAttempts({ parts, found, random: () => 0 });
        await harness.queue.jobs.enqueue(new Map([['scripted', commands.map(deliveryOf)]]));
      },
    });
    await harness.store.pool.query(`UPDATE jobs SET invoked_at = now() - interval '3 seconds'`);
    // The queue is empty and has no marker: everything is sent at once, ten at a time, and the marker comes last.
    await reconciler.tick(true);
    expect(await harness.queue.jobs.hasMarker('scripted')).toBe(true);
    const { waiting } = await harness.queue.jobs.ids('scripted');
    expect(waiting).toHaveLength(25);
    expect(waiting.every((id) => id.endsWith('-2'))).toBe(true);
    await expectConsistent(harness, ids[0] as OrderId);
    await harness.queue.jobs.remove('scripted', waiting);
    await harness.store.prisma.order.deleteMany({ where: { id: { in: ids } } });
    await harness.store.prisma.job.deleteMany({ where: { orderId: { in: ids } } });
  });

  test('what a dead worker took is found at the next look, although counts agree', async () => {
    // Given a job that waited in the queue until a worker took it, listed it and died before it told of its start
    const [id] = (await accept(1)) as [OrderId];
    const parts = harness.parts();
    const { commands } = await launch(harness, parts);
    const found: FoundAttempt[] = [];
    const reconciler = new Reconciler({
      ...{ store: harness.store, queues: harness.queue.jobs, log: silentLogger(), timers: DEFAULT_TIMERS },
      apply: (what) => Promise.resolve(void found.push(...what)),
    });
    const dead = harness.worker('scripted', () => new Promise(() => undefined));
    await harness.queue.jobs.enqueue(new Map([['scripted', commands.map(deliveryOf)]]));
    while ((await harness.queue.jobs.ids('scripted')).active.length === 0) await sleep(20);
    await harness.store.prisma.job.updateMany({ where: { orderId: id }, data: { state: 'queued' } });
    const [job] = await jobsOf(harness, id);
    const listed = async (seconds: number): Promise<void> => {
      await harness.store.pool.query(
        `INSERT INTO job_holds (job_id, attempt, instance_id, seen_at) VALUES ($1, 1, $2, now() - $3 * interval '1 second')
         ON CONFLICT (job_id, attempt) DO UPDATE SET seen_at = excluded.seen_at`,
        [job?.id, newId(), seconds],
      );
    };
    // When one look compares everything while it is held, and the next comes when it has not been listed for one hold
    await listed(0);
    await reconciler.tick(true);
    expect(found).toEqual([]);
    await listed(30);
    await reconciler.tick(true);
    // Then that one has found it
    expect(found).toMatchObject([{ jobId: job?.id, attempt: 1, finding: { kind: 'lost' } }]);
    await dead.close(0);
    await harness.queue.jobs.remove('scripted', [`${job?.id}-1`]);
    await harness.store.prisma.order.deleteMany({ where: { id } });
    await harness.store.prisma.job.deleteMany({ where: { orderId: id } });
  });

  test('a crash between commit and acknowledgement: the reports are read again and change nothing', async () => {
    const [id] = (await accept(1)) as [OrderId];
    const parts = harness.parts();
    await launch(harness, parts);
    const [job] = await jobsOf(harness, id);
    await harness.queue.events.publish('scripted', [completedEvent(harness, job?.id as JobId, id)]);
    const crashed = harness.openQueue().events.reader({ consumer: 'crashed', workerTypes: () => ['scripted'] });
    const batch = await crashed.read({ max: 10, blockMs: 2000 });
    const reports = batch.events.flatMap(({ workerType, body }) => {
      const read = readReport(leaseKey(harness.leaseKey), workerType, body);
      return read.ok ? [read.report] : [];
    });
    expect((await apply(parts, reports)).changedOrders).toEqual([id]);
    await crashed.close();
    const history = await harness.history(id);
    const replica = await harness.orchestrator({ queue: harness.openQueue({ claimIdleMs: 300 }) });
    const rest = harness
      .openQueue({ claimIdleMs: 1 })
      .events.reader({ consumer: 'n', workerTypes: () => ['scripted'] });
    await sleep(1500);
    expect((await rest.read({ max: 10, blockMs: 100 })).events).toEqual([]);
    expect(await harness.history(id)).toEqual(history);
    expect(await harness.store.prisma.lateReport.count()).toBe(0);
    await replica.stop();
  });

  test('it is away while orders are accepted: they are sent once it is back, under their first attempt', async () => {
    const proxy = await TcpProxy.start({ target: harness.queueUrl });
    harness.onClose(() => proxy.close());
    const replica = await harness.orchestrator({ queueUrl: proxy.url });
    const worker = harness.worker('scripted', ({ data }) => Promise.resolve({ value: data.value as JsonValue }));
    await worker.ready;
    proxy.cut();
    const ids = await accept(50);
    await sleep(1500);
    const { length } = (await Promise.all(ids.map((id) => jobsOf(harness, id)))).flat();
    expect(length).toBe(50);
    proxy.mend();
    await harness.ended(ids, 8000);
    for (const id of ids) expect(await jobsOf(harness, id)).toMatchObject([{ state: 'completed', attempt: 1 }]);
    await worker.close(1000);
    await replica.stop();
  });

  test('garbage and a flood of reports of one order hold nobody up', async () => {
    const replica = await harness.orchestrator();
    const [flooded, other] = (await accept(2)) as [OrderId, OrderId];
    for (let i = 0; i < 100 && (await jobsOf(harness, other)).length === 0; i++) await sleep(50);
    const [job] = await jobsOf(harness, flooded);
    const [last] = await jobsOf(harness, other);
    const event = completedEvent(harness, job?.id as JobId, flooded);
    const started = { ...event, type: 'started' };
    const deep = JSON.parse('['.repeat(4000) + ']'.repeat(4000)) as JsonValue;
    const garbage: unknown[] = [null, 'text', 7, {}, [], { ...event, attempt: 1e99 }, { ...event, jobId: '\0' }];
    garbage.push({ ...event, lease: '…'.repeat(100) }, { ...started, type: 'unheard of' }, { ...event, at: 'never' });
    garbage.push({ ...started, instance: 'a\0b' }, { ...event, lease: `${event.lease}x`, value: 'x'.repeat(100_000) });
    await publish(harness.queue, garbage);
    await publish(
      harness.queue,
      Array.from({ length: 5000 }, (_, i) => (i % 2 === 0 ? started : { ...started, progress: 0.5, type: 'progress' })),
    );
    await publish(harness.queue, [{ ...event, value: deep, startedAt: '0000-01-01T00:00:00Z' }]);
    await publish(harness.queue, [completedEvent(harness, last?.id as JobId, other)]);
    await harness.ended([flooded, other], 10_000);
    expect(await harness.store.prisma.job.findUnique({ where: { id: job?.id as string } })).toMatchObject({
      state: 'error',
      error: { code: 'invalid_output' },
    });
    await expectConsistent(harness, flooded);
    await replica.stop();
  });
});

function publish(queue: QueueBackend, events: readonly unknown[]): Promise<void> {
  return queue.events.publish('scripted', events as never);
}

function deliveryOf({ job, attempt }: Command): Delivery {
  const { id, profileId } = job;
  const message = { profileId, profileRevision: 1, lease: 'x', traceparent: '' };
  return { id: deliveryId(id, attempt), name: job.function, data: { ...message, value: job.input } };
}

function completedEvent(harness: Harness, jobId: JobId, orderId: OrderId) {
  const lease = { orderId, jobId, attempt: 1, workerType: 'scripted', expiresAtMs: 0 };
  return {
    ...({ type: 'completed', jobId, attempt: 1, instance: newId(), at: new Date().toISOString(), value: 1 } as const),
    lease: signLease(leaseKey(harness.leaseKey), lease),
  };
}
