import { expect, test } from '@jest/globals';
import { newId, shortId, type OrderId } from '@connecta/contracts';
import { orderSignalOf, readOrderSignal } from './listen.ts';

test('a signal says of each order whether it goes on', () => {
  const changes = [
    { orderId: newId<OrderId>(), open: true },
    { orderId: newId<OrderId>(), open: false },
  ];
  expect(readOrderSignal(orderSignalOf(changes))).toEqual(changes);
});

test('an order without a mark may have ended; a star stands for any order', () => {
  const orderId = newId<OrderId>();
  expect(readOrderSignal(shortId(orderId))).toEqual([{ orderId, open: false }]);
  expect(readOrderSignal('*')).toBeNull();
});
