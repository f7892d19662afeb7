import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId, type BlobId, type BlobRef, type JsonValue, type OrderId, type PlanId } from '@connecta/contracts';
import type { Plan, TaskStep } from '@connecta/domain';
import type { EngineParts } from '../src/engine/drafts.ts';
import { apply, beginOrder, completed, expectConsistent, finishOrder, jobsOf, launch, reportOf } from './direct.ts';
import { Harness, scriptedStep } from './harness.ts';

/** A step of a function whose version is known. */
const step = (needs: string[], change: Partial<TaskStep> = {}): TaskStep => ({
  ...scriptedStep(needs),
  functionVersion: '1.0.0',
  ...change,
});

let harness: Harness;
let one: EngineParts;
let other: EngineParts;
beforeAll(async () => {
  harness = await Harness.start();
  [one, other] = [harness.parts(), harness.parts()];
});
afterAll(() => harness.close());

const rowsOf = (id: OrderId) => harness.store.prisma.job.findMany({ where: { orderId: id }, orderBy: { id: 'asc' } });
const orderOf = (id: OrderId) => harness.store.prisma.order.findUniqueOrThrow({ where: { id } });

/** Places an order and lets it begin. */
const begin = (planId: PlanId, more: object = {}, input: JsonValue = 1) =>
  beginOrder(harness, one, { planId, input, more });

/** Completes whatever runs with `<step>!`, or as told; the steps in the order in which they ran. */
const finish = (id: OrderId, values: Record<string, unknown> = {}, parts = one) =>
  finishOrder(harness, parts, { id, values });

describe('an order that runs another one again', () => {
  const steps = { a: step([]), b: step(['a']), c: step(['b']) };
  const chain = (change: Partial<Record<'a' | 'b' | 'c', Partial<TaskStep>>> = {}): Plan => ({
    steps: { a: { ...steps.a, ...change.a }, b: { ...steps.b, ...change.b }, c: { ...steps.c, ...change.c } },
    outputs: ['c'],
  });
  let plan: PlanId;
  let origin: OrderId;
  beforeAll(async () => {
    plan = await harness.plan(chain());
    origin = await begin(plan);
    expect(await finish(origin)).toEqual(['a', 'b', 'c']);
  });

  test('of which nothing changed runs nothing, and has its result with its first transaction', async () => {
    const id = await begin(plan, { rerunOf: origin });
    expect(await orderOf(id)).toMatchObject({ state: 'completed', result: 'c!' });
    const before = await rowsOf(origin);
    expect(await rowsOf(id)).toMatchObject(
      before.map((job) => ({
        ...{ state: 'completed', attempt: 0, result: job.result, fingerprint: job.fingerprint },
        origin: { how: 'reused', orderId: origin, jobId: job.id },
      })),
    );
    expect((await harness.history(id)).filter(({ type }) => type === 'job')).toMatchObject(
      before.map(({ id: jobId }) => ({ state: 'completed', reusedFrom: { orderId: origin, jobId } })),
    );
    await expectConsistent(harness, id);
  });

  test('runs what changed, and reuses what is behind it when the bytes are the same', async () => {
    const changed = await harness.plan(chain({ b: { profileRevision: 2 } }));
    const same = await begin(changed, { rerunOf: origin });
    expect(await finish(same)).toEqual(['b']);
    expect(await orderOf(same)).toMatchObject({ state: 'completed', result: 'c!' });
    const different = await begin(changed, { rerunOf: origin });
    expect(await finish(different, { b: 'other bytes' })).toEqual(['b', 'c']);
  });

  test.each<[string, Parameters<typeof chain>[0]]>([
    ["a function's version", { a: { functionVersion: '1.0.1' } }],
    ['the params of a step', { a: { params: { more: 1 } } }],
    ['a version that nobody knows', { a: { functionVersion: undefined } as never }],
  ])('runs a step again for %s', async (_what, change) => {
    const id = await begin(await harness.plan(chain(change)), { rerunOf: origin });
    expect(await finish(id)).toEqual(['a']);
  });

  test('runs again for another input, for other params of the order, and for another context', async () => {
    expect(await finish(await begin(plan, { rerunOf: origin }, 2))).toEqual(['a']);
    expect(await finish(await begin(plan, { rerunOf: origin, params: { x: 1 } }))).toEqual(['a', 'b', 'c']);
    const context = { blobId: newId(), mediaType: 'a/b', size: 1, sha256: 'c'.repeat(64) };
    expect(await finish(await begin(plan, { rerunOf: origin, context }))).toEqual(['a', 'b', 'c']);
  });

  test('from a step on runs that one and everything behind it', async () => {
    const id = await begin(plan, { rerunOf: origin, rerunFrom: 'b' });
    expect(await finish(id)).toEqual(['b', 'c']);
    expect((await rowsOf(id)).map(({ origin: from }) => from !== null)).toEqual([true, false, false]);
  });

  test('can be run again itself', async () => {
    const second = await begin(plan, { rerunOf: origin });
    expect(await finish(await begin(plan, { rerunOf: second }))).toEqual([]);
  });

  test('runs again what had failed', async () => {
    const failed = await begin(plan, {}, 'to fail');
    const [a] = await jobsOf(harness, failed);
    const error = { kind: 'permanent', code: 'broken', message: 'for good' };
    await apply(one, [reportOf(a as never, { type: 'failed', error })]);
    expect(await finish(await begin(plan, { rerunOf: failed }, 'to fail'))).toEqual(['a', 'b', 'c']);
  });

  test('taken by two replicas at once is made once', async () => {
    const ids = await harness.accept(Array.from({ length: 30 }, () => ({ planId: plan, input: 1 })));
    await harness.store.prisma.order.updateMany({ where: { id: { in: ids } }, data: { rerunOf: origin } });
    await Promise.all([launch(harness, one), launch(harness, other)]);
    for (const id of ids) {
      expect((await rowsOf(id)).map(({ step: name }) => name)).toEqual(['a', 'b', 'c']);
      await expectConsistent(harness, id);
    }
  });

  test('goes on at another replica after a crash between its steps', async () => {
    const id = await begin(await harness.plan(chain({ a: { profileRevision: 7 } })), { rerunOf: origin });
    // The replica that began it is gone; the other one has nothing but the database, and reuses what follows.
    expect(await finish(id, {}, other)).toEqual(['a']);
    expect(await orderOf(id)).toMatchObject({ state: 'completed', result: 'c!' });
  });

  test('of more steps than are read ahead is one transaction as well', async () => {
    const names = Array.from({ length: 70 }, (_, n) => `s${n}`);
    const long: Plan = {
      steps: Object.fromEntries(names.map((name, n) => [name, step(n === 0 ? [] : [`s${n - 1}`], { params: { n } })])),
      outputs: ['s69'],
    };
    const planId = await harness.plan(long);
    const first = await begin(planId);
    expect(await finish(first)).toEqual(names);
    const again = await begin(planId, { rerunOf: first });
    expect(await orderOf(again)).toMatchObject({ state: 'completed', result: 's69!' });
    expect((await harness.store.prisma.orderEvents.findMany({ where: { orderId: again } })).length).toBe(1);
  });
});

describe('results with blobs', () => {
  const plan = (): Plan => ({ steps: { a: step([]), b: step(['a']) }, outputs: ['b'] });
  const blob = async (): Promise<BlobRef> => {
    const ref = { blobId: newId<BlobId>(), mediaType: 'image/png', size: 3, sha256: 'd'.repeat(64) };
    const row = { state: 'ready', mediaType: ref.mediaType, size: 3n, sha256: ref.sha256, createdBy: 'test' };
    await harness.store.prisma.blob.create({ data: { id: ref.blobId, ownerClientId: harness.clientId, ...row } });
    return ref;
  };

  test('are reused only while their bytes are there', async () => {
    const planId = await harness.plan(plan());
    const ref = await blob();
    const origin = await begin(planId);
    await finish(origin, { a: { list: [ref] } });
    expect(await finish(await begin(planId, { rerunOf: origin }))).toEqual([]);
    await harness.store.prisma.blob.update({ where: { id: ref.blobId }, data: { expiresAt: new Date(0) } });
    // The same bytes under another id: what is behind them is reused.
    expect(await finish(await begin(planId, { rerunOf: origin }), { a: { list: [await blob()] } })).toEqual(['a']);
  });

  test('a context goes on to the steps behind, and is passed on by those that return none', async () => {
    const steps = { a: step([]), b: step(['a']), c: step(['a']), d: step(['b', 'c']) };
    const [ref, mine] = [await blob(), await blob()];
    const id = await begin(await harness.plan({ steps, outputs: ['d'] }), { context: mine });
    const [a] = await jobsOf(harness, id);
    expect((await rowsOf(id))[0]).toMatchObject({ contextIn: { context: mine } });
    const { commands } = await apply(one, [reportOf(a as never, { type: 'completed', value: 1, context: ref })]);
    expect(commands.map(({ context }) => context)).toEqual([ref, ref]);
    const [, b, c] = await jobsOf(harness, id);
    await apply(one, [reportOf(b as never, { type: 'completed', value: 1, context: mine }), completed(c as never)]);
    const [join] = (await rowsOf(id)).filter(({ step: name }) => name === 'd');
    expect(join).toMatchObject({ context: null, contextIn: { contexts: { b: mine, c: ref } } });
  });
});

describe('the result cache', () => {
  const cachedStep = step([], { cache: { ttlMs: 60_000 } });
  const plan = (change: Partial<TaskStep> = {}): Plan => ({
    steps: { a: { ...cachedStep, ...change } },
    outputs: ['a'],
  });
  const age = (sql: string) =>
    harness.store.pool.query(`UPDATE cached_results SET created_at = now() - interval '${sql}'`);

  test('gives a step the result of an equal one of another order, once that is there', async () => {
    const planId = await harness.plan(plan());
    const first = await begin(planId);
    expect(await finish(first, { a: 'kept' })).toEqual(['a']);
    const second = await begin(planId);
    expect(await orderOf(second)).toMatchObject({ state: 'completed', result: 'kept' });
    const [from] = await rowsOf(first);
    expect(await rowsOf(second)).toMatchObject([
      { attempt: 0, origin: { how: 'cached', orderId: first, jobId: from?.id } },
    ]);
    await expectConsistent(harness, second);
  });

  test('does not ask by which slot or invocation an order came about; a re-run does not either', async () => {
    const planId = await harness.plan(plan({ params: { of: 'slots' } }));
    const first = await begin(planId, { params: { a: 1, scheduledAt: '2026-03-01T00:00:00.000Z' } });
    expect(await finish(first)).toEqual(['a']);
    const params = { a: 1, scheduledAt: '2026-03-02T00:00:00.000Z', invocation: { task: 'g/a' }, upstream: { b: 1 } };
    expect(await finish(await begin(planId, { params }))).toEqual([]);
    expect(await finish(await begin(planId, { params, rerunOf: first, cacheTtlMs: 0n }))).toEqual([]);
    expect(await finish(await begin(planId, { params: { ...params, a: 2 } }))).toEqual(['a']);
  });

  test('gives nothing for another input, after its time, to another client, or when it is off', async () => {
    const planId = await harness.plan(plan({ params: { of: 'this test' } }));
    await finish(await begin(planId));
    expect(await finish(await begin(planId))).toEqual([]);
    expect(await finish(await begin(planId, {}, 2))).toEqual(['a']);
    expect(await finish(await begin(planId, { cacheTtlMs: 0n }))).toEqual(['a']);
    const stranger = await harness.store.prisma.client.create({ data: { id: newId(), name: 'stranger' } });
    expect(await finish(await begin(planId, { clientId: stranger.id }))).toEqual(['a']);
    await age('2 minutes');
    expect(await finish(await begin(planId))).toEqual(['a']);
    expect(await finish(await begin(planId))).toEqual([]);
  });

  test('keeps a result for longer than a month when it is told to', async () => {
    const change = { cache: { ttlMs: 60 * 86_400_000 }, params: { of: 'two months' } };
    const planId = await harness.plan(plan(change));
    expect(await finish(await begin(planId))).toEqual(['a']);
    await age('40 days');
    expect(await finish(await begin(planId))).toEqual([]);
  });

  test('serves every cacheable function of an order that asks for it, and no other', async () => {
    for (const [cacheable, ran] of [
      [true, []],
      [false, ['a']],
    ] as const) {
      const { cache: _, ...bare } = cachedStep;
      const planId = await harness.plan({
        steps: { a: { ...bare, cacheable, params: { cacheable } } },
        outputs: ['a'],
      });
      expect(await finish(await begin(planId, { cacheTtlMs: 60_000n }))).toEqual(['a']);
      expect(await finish(await begin(planId, { cacheTtlMs: 60_000n }))).toEqual(ran);
      expect(await finish(await begin(planId))).toEqual(['a']);
    }
  });

  test('keeps results from two replicas at once without waiting in a circle', async () => {
    const planId = await harness.plan(plan({ params: { of: 'both' } }));
    const ids = await harness.accept(Array.from({ length: 40 }, (_, n) => ({ planId, input: n % 5 })));
    await launch(harness, one);
    const jobs = (await Promise.all(ids.map((id) => jobsOf(harness, id)))).flat();
    const half = (which: number) => jobs.filter((_, n) => n % 2 === which).map((job) => completed(job, 'x'));
    await Promise.all([apply(one, half(0)), apply(other, half(1).reverse())]);
    for (const id of ids) await expectConsistent(harness, id);
    expect(await finish(await begin(planId, {}, 3))).toEqual([]);
  });
});
