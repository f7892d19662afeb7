import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JsonValue, NewItems, OrderId } from '@connecta/contracts';
import type { PlannedStep } from '@connecta/domain';
import { apply, expectConsistent, launch, type JobName } from './direct.ts';
import { Harness, scriptedStep } from './harness.ts';
import { Hands } from './hands.ts';
import { TEETH, each, returns, tooth } from './teeth.ts';

describe('new items, with replicas and workers', () => {
  let harness: Harness;
  const hands = () => new Hands(harness, harness.parts());
  const begin = async (step: PlannedStep, input: JsonValue): Promise<OrderId> => {
    const planId = await harness.plan({ steps: { step }, outputs: ['step'] });
    return (await harness.accept([{ planId, input }]))[0] as OrderId;
  };
  const ended = async (id: OrderId) => {
    await harness.ended([id]);
    await expectConsistent(harness, id);
    return harness.store.prisma.order.findUniqueOrThrow({ where: { id } });
  };

  beforeAll(async () => {
    harness = await Harness.start();
    await harness.workerType('scripted');
    for (let i = 0; i < 2; i++) await harness.orchestrator();
    harness.worker('scripted', ({ data }) => {
      const { finds = [], sees = null, value = sees } = (data.value ?? {}) as Record<string, JsonValue>;
      if (finds === 'bad') return Promise.resolve({ value: 1, newItems: 7 as unknown as NewItems });
      return Promise.resolve({ value, newItems: finds as NewItems });
    });
  });
  afterAll(() => harness.close());

  test('extend the list, and what is related to them is computed again with their results', async () => {
    const found = tooth('13', ['12']);
    const id = await begin(TEETH, [tooth('11', ['12', '13']), tooth('12', ['11'], [found]), tooth('21', [])]);
    const order = await ended(id);
    const sees12 = [['11', true]];
    expect(order).toMatchObject({
      state: 'completed',
      result: [expect.anything(), expect.anything(), [], [['12', true]]],
    });
    const [first, second] = order.result as JsonValue[];
    expect(first).toEqual(expect.arrayContaining([['13', true]]));
    expect((second as JsonValue[]).map((seen) => (seen as JsonValue[])[0])).toEqual(sees12.map(([key]) => key));
    const items = await hands().itemsOf(id);
    expect(items.map(({ itemKey, attempt }) => [itemKey, attempt])).toEqual([
      ['11', 2],
      ['12', 1],
      ['21', 1],
      ['13', 1],
    ]);
    expect(await harness.history(id)).toContainEqual(
      expect.objectContaining({ item: 1, attempt: 2, state: 'invoked', relatedTo: ['13'] }),
    );
  });

  test('extend a list that is too long to travel inline, chunk by chunk, from blobs of new ones too', async () => {
    const step: PlannedStep = {
      ...{ ...scriptedStep([]), ...each({ max: 30 }) },
      with: { finds: 'each.index == 0 ? each.item.finds : []', value: 'each.index' },
    };
    const long = (n: number): JsonValue => ({ text: 'x'.repeat(200), n });
    const finds = (await hands().stored(Array.from({ length: 100 }, (_, n) => long(n + 1000)))) as JsonValue;
    const more = Array.from({ length: 50 }, (_, n) => long(n));
    const id = await begin(step, [{ finds }, ...more]);
    expect(await ended(id)).toMatchObject({ state: 'completed', result: Array.from({ length: 151 }, (_, n) => n) });
  });

  test('are an error of whoever is no item, and of what is no list', async () => {
    const codeOf = async (step: PlannedStep, input: JsonValue) => {
      const id = await begin(step, input);
      expect(await ended(id)).toMatchObject({ state: 'failed' });
      const failed = await harness.store.prisma.job.findMany({ where: { orderId: id, state: 'error' } });
      return failed.map(({ error }) => (error as { code: string }).code);
    };
    expect(await codeOf(scriptedStep([]), { finds: [1] })).toEqual(['no_for_each']);
    expect(await codeOf({ ...scriptedStep([]), ...each() }, [{ finds: 'bad' }])).toEqual([
      'item_failed',
      'invalid_output',
    ]);
    const ref = { blobId: crypto.randomUUID(), mediaType: 'text/plain', size: 1, sha256: '0'.repeat(64) };
    expect(await codeOf({ ...scriptedStep([]), ...each() }, [{ finds: ref }])).toEqual(['invalid_output']);
  });

  test('are found by another replica when the one that knew of them is gone', async () => {
    const idle = await Harness.start();
    await idle.workerType('scripted');
    const planId = await idle.plan({ steps: { step: TEETH }, outputs: ['step'] });
    const [left] = (await idle.accept([{ planId, input: [tooth('11', ['12'])] }])) as [OrderId];
    const dead = new Hands(idle, idle.parts());
    await launch(idle, dead.parts);
    await dead.resolve(left);
    const [only] = await dead.itemsOf(left);
    await apply(dead.parts, [returns(only as JobName, [tooth('12', ['11'])])]);
    await idle.store.prisma.job.updateMany({
      where: { orderId: left, work: 'extend' },
      data: { workSince: new Date(Date.now() - 60_000) },
    });
    await idle.orchestrator();
    idle.worker('scripted', () => Promise.resolve({ value: 'seen' }));
    await idle.ended([left]);
    await expectConsistent(idle, left);
    expect((await dead.itemsOf(left)).map(({ attempt, state }) => [attempt, state])).toEqual([
      [2, 'completed'],
      [1, 'completed'],
    ]);
    await idle.close();
  }, 60_000);
});
