import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId, type JobId, type OrderId, type PlanId } from '@connecta/contracts';
import { DEFAULT_TIMERS, type Plan } from '@connecta/domain';
import type { EngineParts } from '../src/engine/drafts.ts';
import { moveAttempts, type FoundAttempt } from '../src/engine/move-attempts.ts';
import { PlanCache } from '../src/engine/plan-cache.ts';
import { apply, completed, expectConsistent, flaky, jobsOf, launch, reportOf, type JobName } from './direct.ts';
import { Harness, scriptedStep } from './harness.ts';

describe('one batch', () => {
  let harness: Harness;
  let parts: EngineParts;
  beforeAll(async () => {
    harness = await Harness.start();
    parts = harness.parts();
  });
  afterAll(() => harness.close());

  const begin = async (plan: Plan): Promise<{ id: OrderId; jobs: [JobName, ...JobName[]] }> => {
    const [id] = (await harness.accept([{ planId: await harness.plan(plan), input: 1 }])) as [OrderId];
    await launch(harness, parts);
    return { id, jobs: (await jobsOf(harness, id)) as never };
  };
  const single = (): Plan => ({ steps: { only: scriptedStep([]) }, outputs: ['only'] });
  const orderOf = (id: OrderId) => harness.store.prisma.order.findUniqueOrThrow({ where: { id } });
  const foundOf = (job: JobName, finding: FoundAttempt['finding']): FoundAttempt => ({
    ...{ jobId: job.id as JobId, orderId: job.orderId as OrderId, attempt: job.attempt },
    finding,
  });

  test('of two findings on one attempt the first counts', async () => {
    const { id, jobs } = await begin(single());
    await apply(parts, [reportOf(jobs[0], { type: 'started' })]);
    const lost = foundOf(jobs[0], { kind: 'lost', message: 'unheard of' });
    const late = foundOf(jobs[0], { kind: 'timeout', code: 'complete_timeout', message: 'not in time' });
    const { commands } = await moveAttempts({ parts, found: [lost, late], random: () => 0 });
    expect(commands.map(({ attempt }) => attempt)).toEqual([2]);
    expect(await jobsOf(harness, id)).toMatchObject([{ state: 'invoked', attempt: 2, lost: 1, failed: 0 }]);
    await expectConsistent(harness, id);
  });

  test('of two different ends of one attempt the second is kept aside', async () => {
    const { id, jobs } = await begin(single());
    const { late } = await apply(parts, [
      completed(jobs[0], 'first'),
      completed(jobs[0], 'first'),
      completed(jobs[0], 2),
    ]);
    expect(late).toMatchObject([{ reason: 'already_ended', report: { value: 2 } }]);
    expect(await orderOf(id)).toMatchObject({ state: 'completed', result: 'first', error: null });
  });

  test('a repeated failure counts once, in one batch and in two', async () => {
    const { id, jobs } = await begin(single());
    expect((await apply(parts, [flaky(jobs[0]), flaky(jobs[0])])).late).toEqual([]);
    expect((await apply(parts, [flaky(jobs[0])])).late).toEqual([]);
    expect(await jobsOf(harness, id)).toMatchObject([{ state: 'pending', attempt: 1, failed: 1 }]);
    await expectConsistent(harness, id);
  });

  test('starts of two attempts at once: the current one is noted with its own instance', async () => {
    const { id, jobs } = await begin(single());
    await moveAttempts({ parts, found: [foundOf(jobs[0], { kind: 'gone' })], random: () => 0 });
    const starts = [2, 1].map((attempt) =>
      reportOf({ ...jobs[0], attempt }, { type: 'started', instance: `of-${attempt}` }),
    );
    await apply(parts, starts);
    expect((await harness.history(id)).at(-1)).toMatchObject({ state: 'started', attempt: 2, instance: 'of-2' });
  });

  test('a step fails while its sibling waits for its next attempt: the order goes on until that has ended', async () => {
    const steps = { good: scriptedStep([]), bad: scriptedStep([]), both: scriptedStep(['good', 'bad']) };
    const { id, jobs } = await begin({ steps, outputs: ['both'] });
    const [good, bad] = jobs as unknown as [JobName, JobName];
    const error = { kind: 'permanent', code: 'broken', message: 'for good' };
    const failed = reportOf(bad, { type: 'failed', error, startedAt: '2026-01-01T00:00:00.000Z' });
    await apply(parts, [flaky(good), failed]);
    expect(await orderOf(id)).toMatchObject({ state: 'active', progress: { good: 'pending', bad: 'error' } });
    await moveAttempts({ parts, found: [foundOf(good, { kind: 'due' })], random: () => 0 });
    await apply(parts, [completed({ ...good, attempt: 2 })]);
    expect(await orderOf(id)).toMatchObject({
      state: 'failed',
      result: null,
      error: { code: 'output_failed' },
      progress: { good: 'completed', bad: 'error', both: 'blocked' },
      finishedAt: expect.any(Date),
    });
    const row = await harness.store.prisma.job.findUniqueOrThrow({ where: { id: bad.id } });
    expect(row).toMatchObject({ error, startedAt: new Date('2026-01-01T00:00:00.000Z') });
    await expectConsistent(harness, id);
  });

  test('progress extends a run by its complete time, never past its cap, and only forward', async () => {
    const { id, jobs } = await begin(single());
    const progress = (fraction: number) => reportOf(jobs[0], { type: 'progress', progress: fraction });
    await apply(parts, [progress(0.1), reportOf(jobs[0], { type: 'started' })]);
    await apply(parts, [progress(0.5), progress(0.4)]);
    const row = () => harness.store.prisma.job.findFirstOrThrow({ where: { orderId: id } });
    const { completeMs, completeCapMs } = DEFAULT_TIMERS;
    expect(Number(await row().then((job) => job.completeBy)) - Date.now()).toBeGreaterThan(completeMs - 20_000);
    await harness.store.pool.query(
      `UPDATE jobs SET started_at = now() - $2 * interval '1 millisecond' + interval '1 minute' WHERE id = $1`,
      [jobs[0].id, completeCapMs],
    );
    await apply(parts, [progress(0.2)]);
    const job = await row();
    expect(Number(job.completeBy)).toBe(Number(job.startedAt) + completeCapMs);
    expect(job.progress).toBeCloseTo(0.4);
  });

  test('a report of a job that nobody knows, or not yet, is kept aside and harms no other', async () => {
    const { id, jobs } = await begin(single());
    const { late } = await apply(parts, [
      completed({ id: newId<JobId>(), orderId: id, attempt: 1 }),
      completed({ id: newId<JobId>(), orderId: newId<OrderId>(), attempt: 1 }),
      completed(jobs[0]),
    ]);
    expect(late.map(({ reason }) => reason)).toEqual(['unknown_job', 'unknown_job']);
    expect(await orderOf(id)).toMatchObject({ state: 'completed' });
  });

  test('an order whose plan cannot be read fails, and those beside it begin', async () => {
    const good = await harness.plan(single());
    const empty = await harness.plan({ steps: {}, outputs: [] });
    const broken = await harness.plan({ outputs: [] } as unknown as Plan);
    const missing = newId<PlanId>();
    const ids = await harness.accept([good, empty, broken, missing].map((planId) => ({ planId, input: 1 })));
    await launch(harness, parts);
    const orders = await Promise.all(ids.map(orderOf));
    expect(orders.map(({ state }) => state)).toEqual(['active', 'failed', 'failed', 'failed']);
    for (const id of ids) await expectConsistent(harness, id);
  });

  test('needs more plans than it may keep', async () => {
    const cache = new PlanCache(parts.store, 2);
    const [a, b, c, d] = await harness.planAll([single(), single(), single(), single()]);
    expect((await cache.load([a, b] as PlanId[])).size).toBe(2);
    expect((await cache.load([a, c, d] as PlanId[])).size).toBe(3);
    expect((await cache.load([a, b, c, d] as PlanId[])).size).toBe(4);
  });

  test('a write that the database refuses while others are read ends in an error of the batch', async () => {
    const plan: Plan = {
      steps: { a: scriptedStep([]), b: scriptedStep([]), c: scriptedStep(['a', 'b']) },
      outputs: ['c'],
    };
    const { jobs } = await begin(plan);
    const [a, b] = jobs as unknown as [JobName, JobName];
    await apply(parts, [completed(a), reportOf(b, { type: 'started' })]);
    const context = { blobId: newId(), mediaType: 'a\0b', size: 1, sha256: '0'.repeat(64) };
    const progress = reportOf(b, { type: 'progress', progress: 0.5, context });
    // `c` needs the result of `a`: it is read while the progress is refused.
    await expect(apply(parts, [completed(b), progress])).rejects.toMatchObject({ code: '22P05' });
    expect((await apply(parts, [completed(b)])).commands).toHaveLength(1);
  });
});
