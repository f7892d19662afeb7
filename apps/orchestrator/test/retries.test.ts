import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { OrderId, PlanId } from '@connecta/contracts';
import { findDueBackoffs, requestCancel, requestRetry } from '@connecta/store';
import type { EngineParts } from '../src/engine/drafts.ts';
import { moveAttempts } from '../src/engine/move-attempts.ts';
import { apply, completed, expectConsistent, jobsOf, launch, reportOf, type JobName } from './direct.ts';
import { Harness, scriptedStep } from './harness.ts';

const broken = (job: JobName) =>
  reportOf(job, { type: 'failed', error: { kind: 'permanent', code: 'broken', message: 'for good' } });

describe('a retry of a failed order', () => {
  let harness: Harness;
  let one: EngineParts;
  let other: EngineParts;
  let plan: PlanId;
  beforeAll(async () => {
    harness = await Harness.start();
    [one, other] = [harness.parts(), harness.parts()];
    const steps = { good: scriptedStep([]), bad: scriptedStep([]), both: scriptedStep(['good', 'bad']) };
    plan = await harness.plan({ steps, outputs: ['both'] });
  });
  afterAll(() => harness.close());

  const orderOf = (id: OrderId) => harness.store.prisma.order.findUniqueOrThrow({ where: { id } });

  /** An order of which `good` completed and `bad` failed for good. */
  const failed = async (): Promise<{ id: OrderId; good: JobName; bad: JobName }> => {
    const [id] = (await harness.accept([{ planId: plan, input: 1 }])) as [OrderId];
    await launch(harness, one);
    const [good, bad] = (await jobsOf(harness, id)) as unknown as [JobName, JobName];
    await apply(one, [completed(good, 'kept'), broken(bad)]);
    expect(await orderOf(id)).toMatchObject({ state: 'failed' });
    return { id, good, bad };
  };

  /** What the timers do next: every job that is due gets its new attempt. */
  const due = async (parts: EngineParts, id: OrderId): Promise<string[]> => {
    const found = (await findDueBackoffs(parts.store, 100)).filter(({ orderId }) => orderId === id);
    const attempts = found.map((attempt) => ({ ...attempt, finding: { kind: 'due' } as const }));
    const { commands } = await moveAttempts({ parts, found: attempts, random: () => 0 });
    return commands.map(({ job, attempt }) => `${job.step} ${attempt}`);
  };

  test('redoes what failed and keeps what completed', async () => {
    const { id, good, bad } = await failed();
    expect(await requestRetry(harness.store, id)).toEqual({ outcome: 'retried', epoch: 2, retried: ['bad'] });
    expect(await orderOf(id)).toMatchObject({
      ...{ state: 'active', epoch: 2, error: null, result: null, finishedAt: null },
      progress: { good: 'completed', bad: 'pending' },
    });
    await expectConsistent(harness, id);
    expect(await due(one, id)).toEqual(['bad 2']);
    await apply(one, [completed({ ...bad, attempt: 2 }, 'new')]);
    const [, , both] = await harness.store.prisma.job.findMany({ where: { orderId: id }, orderBy: { id: 'asc' } });
    expect(both).toMatchObject({ step: 'both', input: { good: 'kept', bad: 'new' }, attempt: 1 });
    await apply(one, [completed({ id: both?.id ?? '', orderId: id, attempt: 1 }, 'all')]);
    expect(await orderOf(id)).toMatchObject({ state: 'completed', result: 'all', epoch: 2 });
    expect((await jobsOf(harness, id))[0]).toMatchObject({ id: good.id, attempt: 1 });
    await expectConsistent(harness, id);
  });

  test('shows in the history, which replays to what the database holds', async () => {
    const { id, bad } = await failed();
    const before = (await harness.history(id)).length;
    await requestRetry(harness.store, id);
    expect((await harness.history(id)).slice(before)).toEqual([
      { type: 'order', state: 'active', epoch: 2 },
      { type: 'job', step: 'bad', jobId: bad.id, attempt: 1, state: 'pending' },
      { type: 'step', step: 'both', state: 'pending', because: [] },
    ]);
    await due(one, id);
    await apply(one, [broken({ ...bad, attempt: 2 })]);
    await expectConsistent(harness, id);
    const once = { scope: 'retry', key: 'k', bodyHash: 'h' };
    const third = await requestRetry(harness.store, id, once);
    expect(third).toMatchObject({ epoch: 3 });
    // And the same request once more, when the order may have failed again, is no other retry
    expect(await requestRetry(harness.store, id, once)).toEqual(third);
    expect(await orderOf(id)).toMatchObject({ epoch: 3 });
    await expectConsistent(harness, id);
  });

  test('begins with fresh counters', async () => {
    const { id } = await failed();
    await harness.store.pool.query('UPDATE jobs SET failed = 3, lost = 5 WHERE order_id = $1 AND step = $2', [
      id,
      'bad',
    ]);
    await requestRetry(harness.store, id);
    const job = await harness.store.prisma.job.findFirstOrThrow({ where: { orderId: id, step: 'bad' } });
    expect(job).toMatchObject({ state: 'pending', failed: 0, lost: 0, error: null, finishedAt: null, attempt: 1 });
  });

  test('refuses what the epoch before still reports, before and after the new attempt', async () => {
    const { id, bad } = await failed();
    await requestRetry(harness.store, id);
    expect((await apply(one, [completed(bad, 'late')])).late).toMatchObject([{ reason: 'already_ended' }]);
    expect((await apply(one, [reportOf(bad, { type: 'started' })])).changedOrders).toEqual([]);
    await due(one, id);
    expect((await apply(other, [completed(bad, 'later')])).late).toMatchObject([{ reason: 'stale_attempt' }]);
    expect((await jobsOf(harness, id))[1]).toMatchObject({ state: 'invoked', attempt: 2 });
    await expectConsistent(harness, id);
  });

  test('of two at once one is accepted; a third finds it under way', async () => {
    for (let round = 0; round < 10; round++) {
      const { id } = await failed();
      const outcomes = await Promise.all([requestRetry(one.store, id), requestRetry(other.store, id)]);
      expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['not_failed', 'retried']);
      expect(await orderOf(id)).toMatchObject({ epoch: 2 });
      await expectConsistent(harness, id);
    }
  });

  test('and a cancel at once: the cancel wins, whichever came first', async () => {
    for (let round = 0; round < 10; round++) {
      const { id } = await failed();
      const retry = requestRetry(one.store, id);
      const moved = due(other, id);
      const cancel = retry.then(() => requestCancel(other.store, id, 'tester'));
      await Promise.all([retry, cancel, moved]);
      expect(await cancel).toMatchObject({ outcome: 'cancelled' });
      expect(await due(one, id)).toEqual([]);
      expect(await requestRetry(one.store, id)).toEqual({ outcome: 'not_failed', state: 'cancelled' });
      await expectConsistent(harness, id);
    }
  });

  test('given to another replica after a crash goes on from the database alone', async () => {
    const { id, bad } = await failed();
    // The process that took the retry is gone with its answer; nothing but the commit is left of it.
    await requestRetry(one.store, id);
    expect(await due(other, id)).toEqual(['bad 2']);
    // This one's commands are lost as well: the attempt is in the database, where the reconciler finds it.
    const found = { jobId: bad.id as never, orderId: id, attempt: 2, finding: { kind: 'gone' } as const };
    const { commands } = await moveAttempts({ parts: one, found: [found], random: () => 0 });
    expect(commands.map(({ attempt }) => attempt)).toEqual([3]);
    await expectConsistent(harness, id);
  });

  test('does not exist for an order that runs, is completed, or could not be run at all', async () => {
    const [id] = (await harness.accept([{ planId: plan, input: 1 }])) as [OrderId];
    expect(await requestRetry(harness.store, id)).toEqual({ outcome: 'not_failed', state: 'accepted' });
    await launch(harness, one);
    expect(await requestRetry(harness.store, id)).toEqual({ outcome: 'not_failed', state: 'active' });
    const empty = await harness.plan({ steps: {}, outputs: [] });
    const [refused] = (await harness.accept([{ planId: empty, input: 1 }])) as [OrderId];
    await launch(harness, one);
    expect(await requestRetry(harness.store, refused)).toEqual({ outcome: 'nothing_to_retry' });
    expect(await requestRetry(harness.store, '0192f0c1-7a11-7c22-8d33-9e44af55b066' as OrderId)).toEqual({
      outcome: 'unknown',
    });
  });
});
