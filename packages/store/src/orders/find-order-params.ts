import type { JsonValue, OrderId } from '@connecta/contracts';
import type { Store } from '../store.ts';

/** An order's params; null when there is no such order. */
export async function findOrderParams(store: Store, id: OrderId): Promise<JsonValue> {
  const row = await store.prisma.order.findUnique({ where: { id }, select: { params: true } });
  return (row?.params ?? null) as JsonValue;
}
