import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TestSystem, until } from '../src/system.ts';

interface Items {
  items: { step: string; item: number; attempt: number; key?: string; state: string; result?: unknown }[];
  nextCursor: string | null;
}

describe('one job for each item of a list', () => {
  let system: TestSystem;
  beforeAll(async () => {
    system = await TestSystem.start({ workerTypes: ['generic', 'probe'] });
    const body = { tasks: ['generic/add-2', 'generic/times-2'], input: 1 };
    await until(async () => (await system.api.send('POST', '/v1/orders', { body })).status === 202);
    const tooth = { tasks: ['probe/tooth'], input: { neighbours: [] } };
    await until(async () => (await system.api.send('POST', '/v1/orders', { body: tooth })).status === 202);
  });
  afterAll(() => system.stop());

  test('a list is worked through item by item, and the results come back in its order', async () => {
    // Given a workflow that doubles each number of a list and then adds 2 to each
    const steps = {
      double: { uses: 'generic/times-2', forEach: 'input' },
      add: { uses: 'generic/add-2', needs: ['double'], forEach: { items: 'steps.double.result', max: 2 } },
    };
    // When an order brings a list
    const order = await system.api.run({ steps, output: 'add', input: [5, 1, 3] });
    // Then the result is a list in the same order, and the trace counts the items
    expect(order).toMatchObject({ state: 'completed', result: [12, 4, 8] });
    expect(order.jobs['double']).toMatchObject({ state: 'completed', items: { total: 3, done: 3, failed: 0 } });
  });

  test('items are skipped by a condition and read page by page, each with its key', async () => {
    // Given a step that takes only some items, and names each by its id
    const forEach = { items: 'input.orders', key: 'each.item.id' };
    const double = { uses: 'generic/times-2', forEach, if: 'each.item.n > 1', with: 'each.item.n' };
    // When an order brings three of them
    const input = { orders: [1, 2, 3].map((n) => ({ id: `no-${n}`, n })) };
    const { id } = await system.api.run({ steps: { double }, input });
    // Then the pages of its jobs tell what became of each
    const first = await system.api.send<Items>('GET', `/v1/orders/${id}/jobs?limit=2`);
    const rest = await system.api.send<Items>('GET', `/v1/orders/${id}/jobs?cursor=${first.body.nextCursor}`);
    const items = [...first.body.items, ...rest.body.items].filter(({ item }) => item > 0);
    expect(items.map(({ key, state, result }) => [key, state, result])).toEqual([
      ['no-1', 'skipped', undefined],
      ['no-2', 'completed', 4],
      ['no-3', 'completed', 6],
    ]);
  });

  test('an item that fails leaves a gap with continue, and fails the step without', async () => {
    // Given a list with an item that cannot be doubled
    const double = (onItemError: string) => ({ uses: 'generic/times-2', forEach: { items: 'input', onItemError } });
    const run = (onItemError: string) =>
      system.api.run({ steps: { double: double(onItemError) }, input: [1, 'one', 3] });
    // When it is worked through, then the gap is null, or the order fails
    expect(await run('continue')).toMatchObject({ state: 'completed', result: [2, null, 6] });
    expect(await run('fail')).toMatchObject({ state: 'failed', jobs: { double: { error: { code: 'item_failed' } } } });
  });

  test('an item finds a further one, and its neighbours are computed again with it', async () => {
    // Given a step that looks at each tooth with its neighbours, and one tooth that knows of a further one
    const look = {
      uses: 'probe/tooth',
      forEach: { items: 'input', key: 'each.item.id', related: { neighbours: 'each.item.beside' } },
      with: { neighbours: 'each.related.neighbours.map(n, n.key)', finds: 'each.item.finds' },
    };
    const found = { id: '13', beside: ['12'], finds: [] };
    const input = [
      { id: '12', beside: ['11', '13'], finds: [] },
      { id: '11', beside: ['12'], finds: [found] },
      { id: '21', beside: [], finds: [] },
    ];
    // When an order brings the teeth that are known
    const order = await system.api.run({ steps: { look }, input });
    // Then the list has the new tooth, and the one beside it was looked at again and sees it
    expect(order).toMatchObject({ state: 'completed', result: [['11', '13'], ['12'], [], ['12']] });
    expect(order.jobs['look']).toMatchObject({ items: { total: 4, done: 4, failed: 0 } });
    const { body } = await system.api.send<Items>('GET', `/v1/orders/${order.id}/jobs`);
    const items = body.items.filter(({ item }) => item > 0);
    expect(Object.fromEntries(items.map(({ key, attempt }) => [key, attempt]))).toEqual({ 11: 1, 12: 2, 13: 1, 21: 1 });
  });

  test('new items of a step that has none are an error, and an if without each decides on the whole step', async () => {
    // Given a step without forEach that returns a new item, and one that only goes on for long lists
    const lost = await system.api.run({ tasks: ['probe/tooth'], input: { neighbours: [], finds: [1] } });
    const double = { uses: 'generic/times-2', forEach: 'input.list', if: 'has(input.list)' };
    // When they run, then the first says what is wrong, and the second is skipped without a list
    expect(lost).toMatchObject({
      state: 'failed',
      jobs: { tooth: { error: { kind: 'permanent', code: 'no_for_each' } } },
    });
    expect(await system.api.run({ steps: { double }, input: {} })).toMatchObject({
      ...{ state: 'completed', result: null },
      jobs: { double: { state: 'skipped' } },
    });
  });

  test('a thousand items go through, twenty at a time, and their results become a blob', async () => {
    // Given a list that is too large to travel inline
    const input = Array.from({ length: 1000 }, (_, n) => 1_000_000_000 + n);
    // When each is doubled
    const order = await system.api.run(
      { steps: { double: { uses: 'generic/times-2', forEach: { items: 'input', max: 20 } } }, input },
      120_000,
    );
    // Then the result is a JSON blob with all of them
    const { blobId } = order.result as { blobId: string };
    const blob = await system.api.send<number[]>('GET', `/v1/blobs/${blobId}`);
    expect(blob.body).toEqual(input.map((n) => n * 2));
  }, 150_000);
});
