import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isBlobRef, type BlobId, type JobId, type JsonValue, type OrderId } from '@connecta/contracts';
import type { PlannedForEach, PlannedStep } from '@connecta/domain';
import { openBlobs } from '@connecta/blobs';
import { findBlob, requestCancel } from '@connecta/store';
import { expectConsistent, jobsOf, launch } from './direct.ts';
import { Harness, scriptedStep } from './harness.ts';

const each = (items: string, more: Partial<PlannedForEach> = {}): { forEach: PlannedForEach } => ({
  forEach: { items, max: 100, onItemError: 'fail', ...more },
});

describe('one job for each item of a list', () => {
  let harness: Harness;
  let running = 0;
  let mostRunning = 0;
  const begin = async (steps: Record<string, PlannedStep>, output: string, input: JsonValue): Promise<OrderId> => {
    const planId = await harness.plan({ steps, outputs: [output] });
    return (await harness.accept([{ planId, input }]))[0] as OrderId;
  };
  const ended = async (id: OrderId) => {
    await harness.ended([id]);
    await expectConsistent(harness, id);
    const { state, progress, result, error } = await harness.store.prisma.order.findUniqueOrThrow({ where: { id } });
    return { state, progress, result: result as JsonValue, error };
  };
  const contentOf = async (value: JsonValue): Promise<JsonValue> => {
    if (!isBlobRef(value)) return value;
    const { blobConnectionString: connectionString } = harness.services;
    const blobs = await openBlobs({ connectionString, container: harness.container });
    const chunks: Buffer[] = [];
    const source = await blobs.get(value.blobId, { expect: value });
    for await (const chunk of source) chunks.push(chunk as Buffer);
    return JSON.parse(Buffer.concat(chunks).toString()) as JsonValue;
  };

  beforeAll(async () => {
    harness = await Harness.start();
    await harness.workerType('scripted');
    for (let i = 0; i < 2; i++) await harness.orchestrator();
    harness.worker(
      'scripted',
      async ({ data }) => {
        const value = data.value ?? (await contentOf({ blobId: data.blobId, ...data.blob } as JsonValue));
        mostRunning = Math.max(mostRunning, ++running);
        await new Promise((resolve) => setTimeout(resolve, 2));
        running -= 1;
        const error = { kind: 'permanent', code: 'odd', message: 'as told' } as const;
        return value === 'bad' ? { error } : { value: typeof value === 'number' ? value * 2 : value };
      },
      50,
    );
  });
  afterAll(() => harness.close());

  test('gathers the results in the order of the items, also of an empty list', async () => {
    const double = { ...scriptedStep([]), ...each('input') };
    const id = await begin({ double, after: scriptedStep(['double']) }, 'after', [5, 1, 3]);
    expect(await ended(id)).toMatchObject({ state: 'completed', result: [10, 2, 6] });
    const none = await begin({ double, after: scriptedStep(['double']) }, 'after', []);
    expect(await ended(none)).toMatchObject({ state: 'completed', result: [] });
  });

  test('if decides for each item, with makes its input, and the item has an index and a key', async () => {
    const step: PlannedStep = {
      ...{ ...scriptedStep([]), ...each('input', { key: 'each.item.k' }) },
      ...{ if: 'each.item.n > 1', with: '[each.index, each.key, each.item.n, size(each.items)]' },
    };
    const id = await begin(
      { step },
      'step',
      [1, 2, 3].map((n) => ({ k: `key-${n}`, n })),
    );
    expect(await ended(id)).toMatchObject({ result: [null, [1, 'key-2', 2, 3], [2, 'key-3', 3, 3]] });
    const keys = await harness.store.prisma.job.findMany({ where: { orderId: id, item: 2 } });
    expect(keys).toMatchObject([{ itemKey: 'key-2' }]);
  });

  test('an if that says nothing of the items decides on the step before there is a list', async () => {
    const size = 'size(input.list)';
    const guarded = (condition: string): PlannedStep => ({ ...scriptedStep([]), ...each('input.list'), if: condition });
    const skipped = { state: 'completed', progress: { step: 'skipped' }, result: null };
    const steps = async (condition: string, input: JsonValue) =>
      ended(await begin({ step: guarded(condition) }, 'step', input));
    expect(await steps('has(input.list)', { no: 'list' })).toMatchObject(skipped);
    expect(await steps(`${size} > 1`, { list: [1, 2] })).toMatchObject({ result: [2, 4] });
    expect(await steps('input.nothing', { list: [] })).toMatchObject({ state: 'failed', progress: { step: 'error' } });
    const text = { text: 'x'.repeat(10_000) };
    const wait = { for: 'time', afterMs: 1 } as const;
    const large: PlannedStep = { kind: 'wait', needs: [], wait, with: 'input' };
    const behind: PlannedStep = {
      ...{ ...scriptedStep(['large']), ...each('steps.large.result.list') },
      if: 'has(steps.large.result.list)',
    };
    const id = await begin({ large, behind }, 'behind', text);
    expect(await ended(id)).toMatchObject({ progress: { large: 'completed', behind: 'skipped' }, result: null });
  });

  test('an item sees the items that are related to it, with the results of those that are done', async () => {
    const related = { before: 'each.item.after' };
    const step: PlannedStep = {
      ...{ ...scriptedStep([]), ...each('input', { key: 'each.item.id', related, max: 1 }) },
      with: 'each.related.before.map(r, [r.key, r.index, has(r.result)])',
    };
    const list = [
      { id: 'a', after: ['c'] },
      { id: 'b', after: ['a', 'nobody'] },
      { id: 'c', after: [] },
    ];
    const id = await begin({ step }, 'step', list);
    expect(await ended(id)).toMatchObject({ result: [[['c', 2, false]], [['a', 0, true]], []] });
  });

  test('a failed item fails the step once those under way have ended; with continue it leaves null', async () => {
    const list = [1, 'bad', 3];
    const fail = await begin({ step: { ...scriptedStep([]), ...each('input') } }, 'step', list);
    expect(await ended(fail)).toMatchObject({ state: 'failed', progress: { step: 'error' } });
    const go = each('input', { onItemError: 'continue' });
    const on = await begin({ step: { ...scriptedStep([]), ...go } }, 'step', list);
    expect(await ended(on)).toMatchObject({ state: 'completed', result: [2, null, 6] });
  });

  test('no more than max items are under way, and all of a long list are run, from a blob into a blob', async () => {
    mostRunning = 0;
    const list = { ...scriptedStep([]), with: `"${'x,'.repeat(200)}x".split(",")` };
    const long = {
      ...scriptedStep(['list']),
      ...each(`steps.list.result.map(x, x + "${'y'.repeat(60)}")`, { max: 7 }),
    };
    const id = await begin({ list, long }, 'long', 1);
    const order = await ended(id);
    expect(order).toMatchObject({ state: 'completed' });
    expect(isBlobRef(order.result)).toBe(true);
    expect(await contentOf(order.result)).toEqual(Array(201).fill(`x${'y'.repeat(60)}`));
    expect(mostRunning).toBeLessThanOrEqual(7);
    const { blobId } = order.result as { blobId: BlobId };
    expect(await findBlob(harness.store, blobId)).toMatchObject({ ownerClientId: harness.clientId });
    const short: PlannedStep = { ...scriptedStep(['long']), with: 'size(steps.long.result)' };
    const again = await begin({ list, long: { ...long, forEach: { ...long.forEach, max: 100 } }, short }, 'short', 1);
    expect(await ended(again)).toMatchObject({ state: 'completed', result: 402 });
  }, 60_000);

  test('what is no list, or names two items alike, is an error of the step', async () => {
    const noList = await begin({ step: { ...scriptedStep([]), ...each('input') } }, 'step', { no: 'list' });
    const twice = await begin(
      { step: { ...scriptedStep([]), ...each('input', { key: 'each.item' }) } },
      'step',
      [1, 1],
    );
    const codeOf = async (id: OrderId) => {
      expect(await ended(id)).toMatchObject({ state: 'failed', progress: { step: 'error' } });
      const job = await harness.store.prisma.job.findFirst({ where: { orderId: id } });
      return (job?.error as { code: string }).code;
    };
    expect([await codeOf(noList), await codeOf(twice)]).toEqual(['expression_failed', 'duplicate_key']);
  });

  test('items wait, and are orders of their own', async () => {
    const inner = await harness.plan({ steps: { a: scriptedStep([]) }, outputs: ['a'] });
    const orders: PlannedStep = { kind: 'order', workflow: 'inner', planId: inner, needs: [], ...each('input') };
    const naps: PlannedStep = {
      kind: 'wait',
      wait: { for: 'time', afterMs: 50 },
      needs: ['orders'],
      ...each('steps.orders.result'),
    };
    const id = await begin({ orders, naps }, 'naps', [1, 2, 3]);
    expect(await ended(id)).toMatchObject({ state: 'completed', result: [2, 4, 6] });
  });

  test('a cancelled order has no further items', async () => {
    const naps: PlannedStep = { kind: 'wait', wait: { for: 'callback' }, needs: [], ...each('input', { max: 2 }) };
    const id = await begin({ naps }, 'naps', [1, 2, 3]);
    for (const end = Date.now() + 10_000; (await jobsOf(harness, id)).length < 3 && Date.now() < end;) {
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    await requestCancel(harness.store, id, 'tester');
    expect(await ended(id)).toMatchObject({ state: 'cancelled', progress: { naps: 'cancelled' } });
    expect(await jobsOf(harness, id)).toHaveLength(3);
  });
});

test('a list that nobody has expanded since its replica died is found', async () => {
  const harness = await Harness.start();
  await harness.workerType('scripted');
  const steps = { double: { ...scriptedStep([]), ...each('input') } };
  const planId = await harness.plan({ steps, outputs: ['double'] });
  const [id] = (await harness.accept([{ planId, input: [1, 2] }])) as [OrderId];
  await launch(harness, harness.parts());
  const [head] = await jobsOf(harness, id);
  expect(head).toMatchObject({ state: 'waiting' });
  await harness.store.prisma.job.update({
    where: { id: head?.id as JobId },
    data: { workSince: new Date(Date.now() - 60_000) },
  });
  await harness.orchestrator();
  harness.worker('scripted', ({ data }) => Promise.resolve({ value: data.value ?? null }));
  await harness.ended([id]);
  await expectConsistent(harness, id);
  await harness.close();
}, 60_000);
