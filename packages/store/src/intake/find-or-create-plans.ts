import { newId, type JsonValue, type PlanId, type WorkflowVersionId } from '@connecta/contracts';
import type { Plan } from '@connecta/domain';
import type { Store } from '../store.ts';

/** A plan by its content: the hash covers the workflow version and every pin. */
export interface WantedPlan {
  hash: string;
  plan: Plan;
  /** A version of a named workflow, or what an order brought along: kept once, by its hash. */
  workflow: { versionId: WorkflowVersionId } | { hash: string; definition: { [name: string]: JsonValue } };
}

/**
 * Finds plans by their hashes and makes the missing ones, with the profile revisions that they keep alive. Any number
 * of processes may do so at once: rows are written in the order of their hashes, so nobody waits in a circle.
 */
export async function findOrCreatePlans(store: Store, wanted: readonly WantedPlan[]): Promise<Map<string, PlanId>> {
  const found = await findPlanIds(
    store,
    wanted.map((plan) => plan.hash),
  );
  const missing = wanted.filter((plan) => !found.has(plan.hash));
  if (missing.length === 0) return found;
  await createPlans(
    store,
    missing.sort((a, b) => (a.hash < b.hash ? -1 : 1)),
  );
  const made = await findPlanIds(
    store,
    missing.map((plan) => plan.hash),
  );
  return new Map([...found, ...made]);
}

async function findPlanIds(store: Store, hashes: readonly string[]): Promise<Map<string, PlanId>> {
  const { rows } = await store.pool.query<{ id: PlanId; hash: string }>({
    name: 'find_plan_ids',
    text: 'SELECT id, hash FROM plans WHERE hash = ANY($1::text[])',
    values: [hashes],
  });
  return new Map(rows.map(({ id, hash }) => [hash, id]));
}

async function createPlans(store: Store, plans: readonly WantedPlan[]): Promise<void> {
  const anonymous = plans
    .map(({ workflow }) => workflow)
    .filter((workflow) => 'hash' in workflow)
    .sort((a, b) => (a.hash < b.hash ? -1 : 1));
  const client = await store.pool.connect();
  try {
    await client.query('BEGIN');
    await client.query(
      `INSERT INTO workflow_versions (id, hash, definition)
       SELECT DISTINCT ON (x.hash) x.id, x.hash, x.definition
       FROM json_to_recordset($1::json) x(id uuid, hash text, definition json) ORDER BY x.hash
       ON CONFLICT (hash) WHERE name IS NULL DO NOTHING`,
      [JSON.stringify(anonymous.map((workflow) => ({ id: newId(), ...workflow })))],
    );
    await client.query(
      `INSERT INTO plans (id, hash, workflow_version_id, steps)
       SELECT x.id, x.hash, coalesce(x."versionId", v.id), x.steps
       FROM json_to_recordset($1::json) x(id uuid, hash text, "versionId" uuid, "versionHash" text, steps json)
       LEFT JOIN workflow_versions v ON v.name IS NULL AND v.hash = x."versionHash"
       ORDER BY x.hash ON CONFLICT (hash) DO NOTHING`,
      [JSON.stringify(plans.map(planRow))],
    );
    await client.query(
      `INSERT INTO plan_profiles (plan_id, profile_id, profile_revision)
       SELECT DISTINCT p.id, x."profileId", x."profileRevision"
       FROM json_to_recordset($1::json) x(hash text, "profileId" uuid, "profileRevision" int)
       JOIN plans p ON p.hash = x.hash ORDER BY 1, 2, 3 ON CONFLICT DO NOTHING`,
      [JSON.stringify(plans.flatMap(pinRows))],
    );
    await client.query('COMMIT');
    client.release();
  } catch (error) {
    // A connection that failed in a transaction is thrown away: cheaper than to prove that it is clean.
    client.release(true);
    throw error;
  }
}

function planRow({ hash, plan, workflow }: WantedPlan): object {
  return {
    id: newId(),
    hash,
    steps: plan,
    ...('versionId' in workflow ? { versionId: workflow.versionId } : { versionHash: workflow.hash }),
  };
}

function pinRows({ hash, plan }: WantedPlan): object[] {
  return Object.values(plan.steps).flatMap((step) => {
    if (step.kind !== 'task') return [];
    const { profileId, profileRevision } = step;
    return [{ hash, profileId, profileRevision }];
  });
}
