import { expect, test } from '@jest/globals';
import { coreOf, plannedCache, plannedWait } from './planned-step.ts';

test('what a step says comes into the plan, defaults filled in, what it does not say left out', () => {
  expect(coreOf({ name: 'a', step: { uses: 'g/a' }, needs: [] })).toEqual({ needs: [] });
  expect(
    coreOf({
      name: 'a',
      step: { uses: 'g/a', if: 'true', with: { a: 'input' }, forEach: 'input', onError: 'continue' },
      needs: ['r'],
      edges: { r: ['approve'] },
      fallbackFor: 'b',
    }),
  ).toEqual({
    needs: ['r'],
    edges: { r: ['approve'] },
    if: 'true',
    with: { a: 'input' },
    forEach: { items: 'input', max: 100, onItemError: 'fail' },
    onError: 'continue',
    fallbackFor: 'b',
  });
  const forEach = { items: 'input', key: 'each.item', related: { up: '[]' }, max: 2, onItemError: 'continue' } as const;
  expect(coreOf({ name: 'a', step: { uses: 'g/a', forEach, onError: 'fail' }, needs: [] })).toEqual({
    needs: [],
    forEach,
  });
});

test('caches and waits are in milliseconds; an operator decides unless it says who', () => {
  expect(plannedCache({ ttl: '1d' })).toEqual({ ttlMs: 86_400_000 });
  expect(plannedWait({ wait: { for: 'approval' } })).toEqual({ for: 'approval', role: 'operator' });
  expect(plannedWait({ wait: { for: 'approval', role: 'admin', timeout: '1d', instructions: 'Look.' } })).toEqual({
    for: 'approval',
    role: 'admin',
    timeoutMs: 86_400_000,
    instructions: 'Look.',
  });
  expect(plannedWait({ wait: { for: 'time', until: 'input.at' } })).toEqual({ for: 'time', until: 'input.at' });
  expect(plannedWait({ wait: { for: 'time', after: '1s' } })).toEqual({ for: 'time', afterMs: 1000 });
});
