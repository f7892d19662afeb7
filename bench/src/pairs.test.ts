import { expect, test } from '@jest/globals';
import type { Throughput } from './contender.ts';
import { pairReportOf } from './pair-report.ts';
import { summarisePairs } from './pairs.ts';
import type { Pair } from './pairs.ts';

const run = (units: number, ms: number, postgres: number): Throughput => ({
  units,
  ms,
  usage: { cpuSeconds: { postgres, client: 0 }, peakPssBytes: { postgres: 2 ** 20 }, foreignShare: 0 },
});
const pair = (small: Throughput, large: Throughput): Pair => ({ small, large });

test('both sides are compared by what one unit costs, within each round', () => {
  const { lists } = summarisePairs([
    { lists: pair(run(100, 100, 1), run(1_000, 1_000, 11)) },
    { lists: pair(run(100, 200, 2), run(1_000, 1_000, 10)) },
    { lists: pair(run(100, 100, 1), run(1_000, 2_000, 30)) },
  ]);
  expect(lists?.ratios.cpu.median).toBeCloseTo(1.1);
  expect(lists?.ratios.cpu.max).toBeCloseTo(3);
  expect(lists?.ratios.throughput).toEqual({ median: 1, min: 0.5, max: 2 });
  expect(lists?.small.cpuMsEach['postgres']).toBeCloseTo(10);
});

test('the report names both sides, the ratios and how far apart they may lie', () => {
  const summary = summarisePairs([{ lists: pair(run(100, 100, 1), run(1_000, 1_000, 11)) }]);
  const titles = { unit: 'item', small: 'short lists', large: 'a long one', cpuAtMost: 1.2 } as const;
  const report = pairReportOf(summary, { lists: titles });
  expect(report).toContain('| a long one | 1000 (1000–1000) | 11.000 | 1 | 0 % |');
  expect(report).toContain('CPU an item, a long one / short lists: 1.10 (1.10–1.10), target at most 1.2');
  expect(report).toContain('Throughput, a long one / short lists: 1.00 (1.00–1.00)\n');
  expect(pairReportOf(summary, { lists: { ...titles, throughputAtLeast: 0.9 } })).toContain(
    '1.00 (1.00–1.00), target at least 0.9\n',
  );
});
