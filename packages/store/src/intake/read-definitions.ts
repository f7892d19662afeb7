import type { WorkflowDefinition, WorkflowVersionId } from '@connecta/contracts';
import type { Store } from '../store.ts';

/** The definitions of workflow versions; they never change. */
export async function readDefinitions(
  store: Store,
  ids: readonly WorkflowVersionId[],
): Promise<Map<WorkflowVersionId, WorkflowDefinition>> {
  const { rows } = await store.pool.query<{ id: WorkflowVersionId; definition: WorkflowDefinition }>({
    name: 'read_definitions',
    text: 'SELECT id, definition FROM workflow_versions WHERE id = ANY($1::uuid[])',
    values: [ids],
  });
  return new Map(rows.map(({ id, definition }) => [id, definition]));
}
