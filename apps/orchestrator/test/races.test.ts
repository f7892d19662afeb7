import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { OrderId, PlanId } from '@connecta/contracts';
import { requestCancel } from '@connecta/store';
import type { EngineParts } from '../src/engine/drafts.ts';
import { moveAttempts } from '../src/engine/move-attempts.ts';
import { apply, completed, expectConsistent, flaky, jobsOf, launch, reportOf, type JobName } from './direct.ts';
import { Harness, scriptedStep } from './harness.ts';

const range = (size: number): number[] => Array.from({ length: size }, (_, i) => i);

describe('two replicas at the same order', () => {
  let harness: Harness;
  let one: EngineParts;
  let other: EngineParts;
  let join: PlanId;
  beforeAll(async () => {
    harness = await Harness.start();
    [one, other] = [harness.parts(), harness.parts()];
    const steps = { a: scriptedStep([]), b: scriptedStep([]), c: scriptedStep(['a', 'b']) };
    join = await harness.planAll([{ steps, outputs: ['c'] }]).then(([id]) => id as PlanId);
  });
  afterAll(() => harness.close());

  /** Orders whose roots are out. */
  const begin = async (planId: PlanId, count: number): Promise<OrderId[]> => {
    const ids = await harness.accept(range(count).map(() => ({ planId, input: 1 })));
    await launch(harness, one);
    return ids;
  };
  const rootsOf = async (id: OrderId): Promise<[JobName, JobName]> => (await jobsOf(harness, id)) as [never, never];

  test('never both miss a join, and never both make it', async () => {
    for (const id of await begin(join, 60)) {
      const [a, b] = await rootsOf(id);
      const outcomes = await Promise.all([apply(one, [completed(a)]), apply(other, [completed(b)])]);
      expect(outcomes.flatMap(({ commands }) => commands.map(({ job }) => job.step))).toEqual(['c']);
    }
  });

  test('take a report that both are given once', async () => {
    for (const id of await begin(join, 20)) {
      const [a, b] = await rootsOf(id);
      const both = [completed(a), flaky(b)];
      const outcomes = await Promise.all([apply(one, both), apply(other, both)]);
      expect(outcomes.flatMap(({ late }) => late)).toEqual([]);
      expect(await jobsOf(harness, id)).toMatchObject([{ state: 'completed' }, { state: 'pending', failed: 1 }]);
      await expectConsistent(harness, id);
    }
  });

  test('do not wait in a circle for progress of orders that the other one has', async () => {
    const ids = await begin(join, 60);
    const roots = await Promise.all(ids.map(rootsOf));
    await apply(
      one,
      roots.flat().map((job) => reportOf(job, { type: 'started' })),
    );
    const progress = (job: JobName) => reportOf(job, { type: 'progress', progress: 0.5 });
    const before = Date.now();
    await Promise.all(
      range(30).flatMap((i) => {
        const [[a1, b1], [a2, b2]] = [roots[2 * i], roots[2 * i + 1]] as [[JobName, JobName], [JobName, JobName]];
        return [apply(one, [completed(a1), progress(b2)]), apply(other, [completed(a2), progress(b1)])];
      }),
    );
    // Postgres looks for deadlocks after a second.
    expect(Date.now() - before).toBeLessThan(1000);
  });

  test('and a cancel, with two hundred ends and retries of it at once: cancelled is final and the record is whole', async () => {
    const steps = Object.fromEntries(range(200).map((i) => [`s${i}`, scriptedStep([])]));
    const wide = await harness.plan({ steps: { ...steps, end: scriptedStep(Object.keys(steps)) }, outputs: ['end'] });
    for (const after of [0, 60]) {
      const [id] = (await begin(wide, 1)) as [OrderId];
      const jobs = await jobsOf(harness, id);
      const ends = jobs.map((job, i) => {
        const parts = i % 2 === 0 ? one : other;
        if (i % 3 === 0) return apply(parts, [flaky(job)]);
        if (i % 3 === 1) return apply(parts, [completed(job, i)]);
        const found = { jobId: job.id as never, orderId: id, attempt: 1, finding: { kind: 'gone' } as const };
        return moveAttempts({ parts, found: [found], random: () => 0 });
      });
      const cancelled = new Promise((resolve) => setTimeout(resolve, after)).then(() =>
        requestCancel(harness.store, id, 'tester'),
      );
      await Promise.all([...ends, cancelled]);
      expect(await cancelled).toMatchObject({ outcome: 'cancelled' });
      await expectConsistent(harness, id);
      const states = new Set((await jobsOf(harness, id)).map(({ state }) => state));
      expect([...states].filter((state) => state !== 'completed')).toEqual(['cancelled']);
      expect(
        (
          await apply(
            one,
            jobs.map((job) => completed(job, 'too late')),
          )
        ).changedOrders,
      ).toEqual([]);
      await expectConsistent(harness, id);
    }
  });

  test('and a cancel while the order is being planned: it is either never begun or taken back', async () => {
    const ids = await harness.accept(range(40).map(() => ({ planId: join, input: 1 })));
    await Promise.all([
      launch(harness, one),
      launch(harness, other),
      ...ids.map((id) => requestCancel(harness.store, id, 'tester')),
    ]);
    for (const id of ids) {
      await expectConsistent(harness, id);
      expect((await jobsOf(harness, id)).filter(({ state }) => state !== 'cancelled')).toEqual([]);
    }
  });
});
