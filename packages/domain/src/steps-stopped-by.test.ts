import { describe, expect, test } from '@jest/globals';
import type { PlanId } from '@connecta/contracts';
import { compilePlan, type CompiledPlan, type OrderStep } from './plan.ts';
import { stepsStoppedBy } from './steps-stopped-by.ts';

const plan = (steps: Record<string, Partial<OrderStep>>): CompiledPlan =>
  compilePlan({
    steps: Object.fromEntries(
      Object.entries(steps).map(([name, step]) => [
        name,
        { kind: 'order', workflow: 'w', planId: 'p' as PlanId, needs: [], ...step },
      ]),
    ),
    outputs: [],
  });

describe('the steps that an error stops', () => {
  const behind = { next: { needs: ['a'] }, far: { needs: ['next'] }, aside: {} };

  test('are all that stand behind it', () => {
    expect(stepsStoppedBy(plan({ a: {}, ...behind }), 'a', { a: 'error', next: 'blocked' })).toEqual(['next', 'far']);
  });

  test('are not those that were skipped for a reason of their own', () => {
    expect(stepsStoppedBy(plan({ a: {}, ...behind }), 'a', { a: 'error', next: 'skipped' })).toEqual([]);
  });

  test('are none where the workflow goes on, or has something that stands in', () => {
    expect(stepsStoppedBy(plan({ a: { onError: 'continue' }, ...behind }), 'a', { a: 'error' })).toEqual([]);
    const standIn = plan({ a: { onError: { fallback: 'b' } }, b: { fallbackFor: 'a' }, ...behind });
    expect(stepsStoppedBy(standIn, 'a', { a: 'error', b: 'invoked' })).toEqual([]);
    expect(stepsStoppedBy(standIn, 'b', { a: 'error', b: 'error' })).toEqual(['next', 'far']);
    expect(stepsStoppedBy(standIn, 'a', { a: 'error', b: 'skipped' })).toEqual(['next', 'far']);
  });

  test('are none any more once the step is tried again', () => {
    expect(stepsStoppedBy(plan({ a: {}, ...behind }), 'a', { a: 'pending' })).toEqual([]);
  });
});
