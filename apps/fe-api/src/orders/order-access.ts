import { Problem, type OrderId } from '@connecta/contracts';
import { findHoldUpFacts, findOrderHead, findOrderTrace, type OrderHead, type Store } from '@connecta/store';
import type { Caller } from '../access/caller.ts';
import { orderView, type OrderView } from './order-view.ts';

/** An order that the caller may know of. @throws Problem not_found */
export async function visibleOrder(store: Store, caller: Caller, id: string): Promise<OrderHead> {
  const order = await findOrderHead(store, id as OrderId);
  if (order && (!caller.clientId || caller.clientId === order.clientId)) return order;
  throw noOrder();
}

/** The whole trace of an order that the caller may know of; who only looks is not told callbacks. @throws Problem not_found */
export async function visibleTrace(store: Store, caller: Caller, id: string, callbackKey?: string): Promise<OrderView> {
  const order = await findOrderTrace(store, id as OrderId);
  if (order && (!caller.clientId || caller.clientId === order.clientId)) {
    const holdUps = hasEnded(order) ? undefined : await findHoldUpFacts(store, order.id);
    return orderView(order, {
      ...{ callbackKey: caller.role === 'viewer' ? undefined : callbackKey, holdUps },
      counts: caller.role !== 'client',
    });
  }
  throw noOrder();
}

/** True for an order of which nothing more will happen by itself. */
export function hasEnded({ state }: Pick<OrderHead, 'state'>): boolean {
  return state !== 'accepted' && state !== 'active';
}

function noOrder(): Problem {
  return new Problem('not_found', 'There is no such order');
}
