import { expect, test } from '@jest/globals';
import type { ProfileId } from '@connecta/contracts';
import { compilePlan, readPlan, type StoredPlan } from './plan.ts';

const task = { uses: 'g/x', workerType: 'g', function: 'x', profileId: 'p' as ProfileId, profileRevision: 1 };

test('a step of an older plan, stored without a kind, is a task; others keep theirs', () => {
  const stored: StoredPlan = {
    steps: { a: { ...task, needs: [] }, b: { kind: 'wait', wait: { for: 'callback' }, needs: ['a'] } },
    outputs: ['b'],
  };
  expect(readPlan(stored).steps).toEqual({ a: { kind: 'task', ...task, needs: [] }, b: stored.steps['b'] });
  expect(compilePlan(stored)).toMatchObject({ roots: ['a'], outputs: ['b'] });
});
