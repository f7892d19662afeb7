import { expect, test } from '@jest/globals';
import { Groups } from './groups.ts';

function recording(maxWeight: number): { groups: Groups<number, number>; runs: number[][] } {
  const runs: number[][] = [];
  const groups = new Groups<number, number>({
    run: async (items) => {
      runs.push(items);
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (items.includes(-1)) throw new Error('refused');
      return items.map((item) => item * 2);
    },
    weigh: () => 1,
    maxWeight,
  });
  return { groups, runs };
}

test('whatever arrives in one turn shares a group, and what arrives while it runs the next one', async () => {
  const { groups, runs } = recording(10);
  const first = [groups.add(1), groups.add(2)];
  await new Promise((resolve) => setImmediate(resolve));
  const second = [groups.add(3), groups.add(4)];
  expect(await Promise.all([...first, ...second])).toEqual([2, 4, 6, 8]);
  expect(runs).toEqual([
    [1, 2],
    [3, 4],
  ]);
});

test('a group has a weight that it does not exceed, except by a single item', async () => {
  const { groups, runs } = recording(2);
  await Promise.all([1, 2, 3].map((item) => groups.add(item)));
  expect(runs).toEqual([[1, 2], [3]]);
});

test('a failed group fails its own items alone', async () => {
  const { groups } = recording(1);
  const results = await Promise.allSettled([groups.add(-1), groups.add(1)]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
});
