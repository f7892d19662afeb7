import type { Store } from '../store.ts';

/** What a function promised of its results, and who did. */
export interface OutputRule {
  version: string | null;
  team: string;
  outputSchema: { [keyword: string]: unknown } | null;
}

/** What the type of a worker told of a function's results; null for a function that it did not tell of. */
export async function findOutputRule(store: Store, workerType: string, name: string): Promise<OutputRule | null> {
  const { rows } = await store.pool.query<OutputRule>({
    name: 'find_output_rule',
    text: `SELECT f->>'version' AS version, t.owner_team AS team, f->'outputSchema' AS "outputSchema"
           FROM worker_types t, jsonb_array_elements(t.functions) f WHERE t.name = $1 AND f->>'name' = $2 LIMIT 1`,
    values: [workerType, name],
  });
  return rows[0] ?? null;
}
