import { InUseError } from '../clients/clients.ts';
import type { Prisma } from '../generated/prisma/client.ts';

/** Of a workflow's definition, or of an order's request: the names that stand in it, and those that a parameter stands for. */
const NAMING = ['$.workflow', '$.steps.*.workflow', '$.steps.*.workflow.default'].map(
  (place) => `${place} ? (@ == $name || @ starts with $pinned)`,
);
const PARAMS_NAMING = '$.steps.*.workflow.param';

/**
 * A workflow must not go that a schedule or another workflow names, at whichever version: as what it runs, as what a step
 * is, or as the value or default of a parameter that says what a step is.
 *
 * @throws InUseError naming what refers to it
 */
export async function assertWorkflowUnnamed(tx: Prisma.TransactionClient, name: string): Promise<void> {
  const pinned = `${name}@`;
  const named = { name, pinned };
  const schedules = await tx.$queryRaw<{ name: string }[]>`
    SELECT s.name FROM schedules s
    LEFT JOIN workflows w ON w.name = split_part(s."order"->>'workflow', '@', 1)
    LEFT JOIN workflow_versions v ON v.name = w.name
      AND v.version::text = coalesce(nullif(split_part(s."order"->>'workflow', '@', 2), ''), w.latest_version::text)
    WHERE EXISTS (
        SELECT FROM unnest(${NAMING}::text[]) path
        WHERE jsonb_path_exists(s."order", path::jsonpath, ${named}::jsonb))
      OR EXISTS (
        SELECT FROM jsonb_path_query(coalesce(v.definition::jsonb, s."order"), ${PARAMS_NAMING}::jsonpath) param
        WHERE split_part(s."order"->'params'->>(param #>> '{}'), '@', 1) = ${name})
    ORDER BY 1 LIMIT 5`;
  if (schedules.length > 0) throw new InUseError(`schedules (${schedules.map((one) => one.name).join(', ')})`);
  const workflows = await tx.$queryRaw<{ name: string }[]>`
    SELECT w.name FROM workflows w JOIN workflow_versions v ON v.name = w.name AND v.version = w.latest_version
    WHERE w.deleted_at IS NULL AND w.name <> ${name}
      AND (EXISTS (
          SELECT FROM unnest(${NAMING}::text[]) path
          WHERE jsonb_path_exists(v.definition::jsonb, path::jsonpath, ${named}::jsonb))
        OR EXISTS (
          SELECT FROM jsonb_path_query(v.definition::jsonb, ${PARAMS_NAMING}::jsonpath) param
          WHERE split_part(v.definition::jsonb #>> ARRAY['params', param #>> '{}', 'default'], '@', 1) = ${name}))
    ORDER BY 1 LIMIT 5`;
  if (workflows.length > 0) throw new InUseError(`workflows (${workflows.map((one) => one.name).join(', ')})`);
}
