import { isId } from '@connecta/contracts';
import type { AcceptedOrder } from '../engine/orders.ts';

/** Postgres takes payloads of fewer than 8,000 bytes. */
const MOST_BYTES = 7000;

/** What each of these orders is: just accepted, no step of another one, and none that runs again. */
const NEW = {
  state: 'accepted',
  epoch: 1,
  version: 0,
  parentJobId: null,
  rerunOf: null,
  rerunFrom: null,
} as const;

/** An accepted order as its signal tells it. */
export type ToldOrder = Omit<AcceptedOrder, keyof typeof NEW | 'progress'>;

/** The payload that tells of an accepted order; empty, as of any other orders, when the order does not fit. */
export function intakeSignalOf(order: ToldOrder): string {
  const payload = JSON.stringify(order);
  return Buffer.byteLength(payload) <= MOST_BYTES ? payload : '';
}

/** The order in a payload; null when it tells of none, or cannot be read: accepted orders are in the table. */
export function readIntakeSignal(payload: string): AcceptedOrder | null {
  if (payload === '') return null;
  try {
    const told = JSON.parse(payload) as unknown;
    return isToldOrder(told) ? { ...told, ...NEW, progress: {} } : null;
  } catch {
    return null;
  }
}

/** Another version of a gateway may tell less than is needed here, or something else. */
function isToldOrder(told: unknown): told is ToldOrder {
  if (typeof told !== 'object' || told === null) return false;
  const order = told as { [Field in keyof ToldOrder]?: unknown };
  const ids = [order.id, order.clientId, order.planId];
  const texts = [order.createdBy, order.traceparent];
  const others = [order.input, order.context, order.cacheTtlMs];
  return (
    ids.every((id) => typeof id === 'string' && isId(id)) &&
    texts.every((text) => typeof text === 'string') &&
    others.every((other) => other !== undefined) &&
    Number.isInteger(order.priority) &&
    typeof order.params === 'object' &&
    order.params !== null
  );
}
