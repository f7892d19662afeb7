import type { PlanId } from '@connecta/contracts';
import type { StoredPlan } from '@connecta/domain';
import type { Store } from '../store.ts';

/** Reads plans by id; they never change. */
export async function findPlans(store: Store, ids: readonly PlanId[]): Promise<{ id: PlanId; plan: StoredPlan }[]> {
  const { rows } = await store.pool.query<{ id: PlanId; plan: StoredPlan }>({
    name: 'find_plans',
    text: 'SELECT id, steps AS plan FROM plans WHERE id = ANY($1::uuid[])',
    values: [ids],
  });
  return rows;
}
