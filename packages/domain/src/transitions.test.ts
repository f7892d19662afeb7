import { expect, test } from '@jest/globals';
import { ENDED_JOB_STATES, JOB_STATES, OPEN_JOB_STATES } from '@connecta/contracts';
import { jobMayMove, orderMayMove } from './transitions.ts';

test('completion is legal from every open state, from waiting, and at once for a result that is taken over', () => {
  const from = JOB_STATES.filter((state) => jobMayMove(state, 'completed'));
  expect(from.sort()).toEqual([...OPEN_JOB_STATES, 'waiting', 'pending'].sort());
});

test('a job leaves an ended state only for a new attempt: error to be tried again, a finished item to be computed again', () => {
  for (const state of ENDED_JOB_STATES) {
    const to = JOB_STATES.filter((next) => jobMayMove(state, next));
    const again = {
      completed: ['invoked', 'waiting', 'error', 'skipped'],
      error: ['pending', 'invoked', 'waiting', 'error', 'skipped'],
      skipped: ['invoked', 'waiting', 'error', 'skipped'],
      cancelled: [],
    };
    expect(to).toEqual(again[state]);
  }
});

test('nothing ever leaves cancelled, and only failed goes back to active', () => {
  expect(orderMayMove('cancelled', 'active')).toBe(false);
  expect(orderMayMove('failed', 'active')).toBe(true);
  expect(orderMayMove('completed', 'active')).toBe(false);
});
