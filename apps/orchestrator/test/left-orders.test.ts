import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { OrderId } from '@connecta/contracts';
import type { Plan } from '@connecta/domain';
import { requestCancel } from '@connecta/store';
import { applyKnown } from '../src/advance/apply-known.ts';
import type { EngineParts } from '../src/engine/drafts.ts';
import { apply, completed, expectConsistent, jobsOf, launch, reportOf, type JobName } from './direct.ts';
import { Harness, scriptedStep } from './harness.ts';

describe('an order that this replica left with one job under way', () => {
  let harness: Harness;
  let parts: EngineParts;
  beforeAll(async () => {
    harness = await Harness.start();
    parts = harness.parts();
  });
  afterAll(() => harness.close());

  const chain: Plan = { steps: { first: scriptedStep([]), second: scriptedStep(['first']) }, outputs: ['second'] };
  const begin = async (plan: Plan, by = parts): Promise<{ id: OrderId; job: JobName }> => {
    const [id] = (await harness.accept([{ planId: await harness.plan(plan), input: 1 }])) as [OrderId];
    await launch(harness, by);
    return { id, job: (await jobsOf(harness, id)).at(-1) as JobName };
  };
  const newestJob = async (id: OrderId): Promise<JobName> => (await jobsOf(harness, id)).at(-1) as JobName;
  const orderOf = (id: OrderId) => harness.store.prisma.order.findUniqueOrThrow({ where: { id } });

  test('goes on from report to report without being read', async () => {
    const { id, job } = await begin(chain);
    const context = { blobId: id, mediaType: 'application/octet-stream', size: 1, sha256: 'a'.repeat(64) };
    expect(await applyKnown(parts, [completed(job, 'one', { context })])).toMatchObject({
      commands: [{ job: { step: 'second', input: 'one', context }, attempt: 1 }],
    });
    expect(await applyKnown(parts, [completed(await newestJob(id), 'two')])).toMatchObject({ commands: [] });
    expect(await orderOf(id)).toMatchObject({ state: 'completed', result: 'two' });
    await expectConsistent(harness, id);
  });

  test('several go on at once, and are none of it when one is not known', async () => {
    const [one, two] = [await begin(chain), await begin(chain)];
    expect((await applyKnown(parts, [completed(one.job), completed(two.job)]))?.commands).toHaveLength(2);
    const strange = await begin(chain, harness.parts());
    const reports = [completed(await newestJob(one.id)), completed(strange.job)];
    expect(await applyKnown(parts, reports)).toBeNull();
    expect((await apply(parts, reports)).changedOrders).toHaveLength(2);
    for (const { id } of [one, two, strange]) await expectConsistent(harness, id);
  });

  test('is read again when it was cancelled meanwhile: nothing of what was taken as known is written', async () => {
    const { id, job } = await begin(chain);
    await requestCancel(harness.store, id, 'somebody');
    const before = await orderOf(id);
    expect(await applyKnown(parts, [completed(job)])).toBeNull();
    expect(await orderOf(id)).toEqual(before);
    expect((await apply(parts, [completed(job)])).late).toMatchObject([{ reason: 'already_ended' }]);
    expect(await jobsOf(harness, id)).toMatchObject([{ step: 'first', state: 'cancelled' }]);
    await expectConsistent(harness, id);
  });

  test('is read again when it was cancelled meanwhile and more of it had to be read', async () => {
    const steps = { a: scriptedStep([]), b: scriptedStep(['a']), c: scriptedStep(['a', 'b']) };
    const { id, job } = await begin({ steps, outputs: ['c'] });
    expect(await applyKnown(parts, [completed(job)])).not.toBeNull();
    await requestCancel(harness.store, id, 'somebody');
    expect(await applyKnown(parts, [completed(await newestJob(id))])).toBeNull();
    await expectConsistent(harness, id);
  });

  test('is read again when another replica has applied the report', async () => {
    const { id, job } = await begin(chain);
    await apply(harness.parts(), [completed(job, 'theirs')]);
    expect(await applyKnown(parts, [completed(job, 'ours')])).toBeNull();
    expect(await jobsOf(harness, id)).toMatchObject([
      { step: 'first', result: 'theirs' },
      { step: 'second', state: 'invoked' },
    ]);
    await expectConsistent(harness, id);
  });

  test('is not taken as known with several jobs under way, another attempt, type or kind of report', async () => {
    const both: Plan = { steps: { a: scriptedStep([]), b: scriptedStep([]) }, outputs: ['a'] };
    expect(await applyKnown(parts, [completed((await begin(both)).job)])).toBeNull();
    const { id, job } = await begin(chain);
    expect(await applyKnown(parts, [reportOf(job, { type: 'started' })])).toBeNull();
    expect(await applyKnown(parts, [completed({ ...job, attempt: 2 })])).toBeNull();
    const report = completed(job);
    expect(await applyKnown(parts, [{ ...report, lease: { ...report.lease, workerType: 'other' } }])).toBeNull();
    expect(await jobsOf(harness, id)).toMatchObject([{ step: 'first', state: 'invoked' }]);
  });
});
