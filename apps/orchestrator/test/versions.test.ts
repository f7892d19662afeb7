import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { newId, type OrderId, type PlanId, type ProfileId } from '@connecta/contracts';
import type { TaskStep } from '@connecta/domain';
import { findLastRuns } from '@connecta/store';
import type { EngineParts } from '../src/engine/drafts.ts';
import { beginOrder, finishOrder } from './direct.ts';
import { Harness, scriptedStep } from './harness.ts';

/** Which version of a function made a result, and which of the results count. */
describe('results and the versions of functions', () => {
  let harness: Harness;
  let parts: EngineParts;
  let profileId: ProfileId;
  let pinned: PlanId;
  beforeAll(async () => {
    harness = await Harness.start();
    parts = harness.parts();
    await harness.workerType('scripted');
  });
  afterAll(() => harness.close());
  beforeEach(async () => {
    profileId = newId<ProfileId>();
    const step: TaskStep = { ...scriptedStep([]), profileId, functionVersion: '2.0.0', cache: { ttlMs: 60_000 } };
    pinned = await harness.plan({ steps: { a: step }, outputs: ['a'] });
    await offer('2.0.0');
  });

  /** What the type's API has registered. */
  const offer = async (version: string): Promise<void> => {
    const behaviour = { [scriptedStep([]).function]: { version } };
    await harness.store.prisma.workerType.update({ where: { name: 'scripted' }, data: { behaviour } });
  };
  const run = async (more: object, ran?: string, value: unknown = 1): Promise<{ id: OrderId; ran: string[] }> => {
    const id = await beginOrder(harness, parts, { planId: pinned, more });
    const report = ran === undefined ? {} : { functionVersion: ran };
    return { id, ran: await finishOrder(harness, parts, { id, values: { a: value }, more: report }) };
  };
  const jobOf = (orderId: OrderId) => harness.store.prisma.job.findFirstOrThrow({ where: { orderId } });
  const lastRun = async () => (await findLastRuns(harness.store, harness.clientId, [{ profileId, revision: 1 }]))[0];

  test('a result of another version than was pinned is neither cached, reused nor fresh', async () => {
    const first = await run({}, '1.0.0');
    expect(await jobOf(first.id)).toMatchObject({ state: 'completed', fingerprint: null, ranVersion: '1.0.0' });
    expect((await run({ rerunOf: first.id }, '1.0.0')).ran).toEqual(['a']);
    expect(await lastRun()).toBeUndefined();
    expect((await run({}, '2.0.0')).ran).toEqual(['a']);
    expect((await run({}, '2.0.0')).ran).toEqual([]);
  });

  test('a worker that tells no version is taken at what was pinned', async () => {
    await run({});
    expect((await run({})).ran).toEqual([]);
  });

  test('the last run of a setup is one that ran, by the function of today', async () => {
    const first = await run({}, '2.0.0');
    expect((await run({})).ran).toEqual([]);
    expect((await run({ rerunOf: first.id })).ran).toEqual([]);
    expect((await lastRun())?.orderId).toBe(first.id);
    await offer('3.0.0');
    expect(await lastRun()).toBeUndefined();
  });

  test('a run of which a blob is gone is no last run any more', async () => {
    const ref = { blobId: newId(), mediaType: 'a/b', size: 1, sha256: 'b'.repeat(64) };
    const row = { id: ref.blobId, ownerClientId: harness.clientId, state: 'ready', mediaType: 'a/b', size: 1n };
    await harness.store.prisma.blob.create({ data: { ...row, sha256: ref.sha256 } });
    const { id } = await run({}, '2.0.0', { inside: ref });
    expect((await lastRun())?.orderId).toBe(id);
    await harness.store.prisma.blob.delete({ where: { id: ref.blobId } });
    expect(await lastRun()).toBeUndefined();
  });
});
