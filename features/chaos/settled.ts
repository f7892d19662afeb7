import { until } from '../src/system.ts';
import type { ChaosWorld } from './world.ts';

/** Beyond the work itself: the last fault, two holds, a reconciliation, and what a busy machine adds. */
const SETTLE_MS = 180_000;

/** Resolves when all orders have ended. @throws Error telling how many are stuck */
export async function settled({ store, extent }: ChaosWorld, ids: readonly string[]): Promise<void> {
  const open = (): Promise<number> =>
    store.prisma.order.count({ where: { id: { in: [...ids] }, state: { in: ['accepted', 'active'] } } });
  await until(async () => (await open()) === 0, SETTLE_MS + 2 * extent.holdMs).catch(async (cause: unknown) => {
    throw new Error(`${await open()} of ${ids.length} orders are stuck`, { cause });
  });
}
