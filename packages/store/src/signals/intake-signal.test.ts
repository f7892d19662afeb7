import { expect, test } from '@jest/globals';
import { newId, type ClientId, type OrderId, type PlanId } from '@connecta/contracts';
import { intakeSignalOf, readIntakeSignal, type ToldOrder } from './intake-signal.ts';

const order: ToldOrder = {
  ...{ id: newId<OrderId>(), clientId: newId<ClientId>(), planId: newId<PlanId>() },
  ...{ input: { deep: [null, 1.5, 'ä'] }, params: { strategy: null }, priority: 7 },
  ...{ createdBy: 'tester', traceparent: '-', context: null, cacheTtlMs: 0 },
};

test('a signal tells an order as it is when it has just been accepted', () => {
  expect(readIntakeSignal(intakeSignalOf(order))).toEqual({
    ...order,
    ...{ state: 'accepted', epoch: 1, version: 0, progress: {} },
    ...{ parentJobId: null, rerunOf: null, rerunFrom: null },
  });
});

test('an order that does not fit is not told, whatever its letters take', () => {
  expect(intakeSignalOf({ ...order, input: 'x'.repeat(6000) })).not.toBe('');
  expect(intakeSignalOf({ ...order, input: 'ä'.repeat(6000) })).toBe('');
  expect(intakeSignalOf({ ...order, input: 'x'.repeat(7000) })).toBe('');
});

test('a signal that tells of no order, or says it in another way, tells nothing', () => {
  const { planId, ...without } = order;
  const others = [null, 1, [], without, { ...order, planId: `${planId}x` }, { ...order, priority: '7' }];
  const changed = [
    { ...order, params: null },
    { ...order, input: undefined },
    { ...order, createdBy: 1 },
  ];
  const payloads = [...others, ...changed].map((other) => JSON.stringify(other));
  for (const payload of ['', '*', '{', ...payloads]) expect(readIntakeSignal(payload)).toBeNull();
});
