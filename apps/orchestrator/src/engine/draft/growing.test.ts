import { expect, test } from '@jest/globals';
import { newId, type JobId, type OrderId, type PlanId } from '@connecta/contracts';
import { compilePlan, type PlannedStep } from '@connecta/domain';
import type { LockedOrder, WaitingJob } from '@connecta/store';
import { computeAgain } from './growing.ts';
import { Ledger } from './ledger.ts';

const step: PlannedStep = {
  ...{ kind: 'wait', needs: [], optional: false, wait: { for: 'time', afterMs: 1 } },
  forEach: { items: 'input', max: 10, onItemError: 'continue', related: { others: 'item' } },
} as unknown as PlannedStep;
const order = { id: newId<OrderId>(), planId: newId<PlanId>(), state: 'active', progress: {}, params: {} };
const head = {
  ...{ id: newId<JobId>(), orderId: order.id, step: 'step', item: 0, kind: 'head', state: 'waiting', attempt: 1 },
  ...{ itemsTotal: 3, itemsCreated: 3, itemsDone: 3, itemsFailed: 0 },
  itemsExtension: { pending: 0, rounds: 1, stale: 1 },
} as unknown as WaitingJob;
const workAfter = (done: number): unknown => {
  const ledger = new Ledger(order as unknown as LockedOrder, compilePlan({ steps: { step }, outputs: ['step'] }));
  computeAgain(ledger, head, { total: 3, done, items: [], left: 0 }, []);
  return ledger.extras.heads[0]?.work;
};

test('a list is looked through once more when an item has ended since, and is gathered when none has', () => {
  expect(workAfter(2)).toBe('again');
  expect(workAfter(3)).toBe('gather');
});
