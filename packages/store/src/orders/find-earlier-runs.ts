import type { BlobRef, ClientId, JobId, JsonValue, OrderId, ProfileId } from '@connecta/contracts';
import type { GivenContext, TaskStep } from '@connecta/domain';
import type { Store } from '../store.ts';

/** A completed job that ran, of a step of the same name or with the same profile, in an earlier order of the client. */
export interface EarlierRun {
  jobId: JobId;
  stepName: string;
  orderId: OrderId;
  fingerprint: string | null;
  input: JsonValue;
  result: JsonValue;
  context: BlobRef | null;
  contextIn: GivenContext | null;
  finishedAt: Date;
  orderParams: { [name: string]: JsonValue };
  /** As its order had it pinned. */
  step: Omit<TaskStep, 'kind'>;
}

/** How many orders of a client are looked through. */
const ORDERS = 200;

/** The runs of a step, and of others with its profile, in the client's orders before one, the newest first. */
export async function findEarlierRuns(
  store: Store,
  before: { clientId: ClientId; orderId: OrderId; step: string; profileId: ProfileId; at: Date },
): Promise<EarlierRun[]> {
  const { rows } = await store.pool.query<EarlierRun>({
    name: 'find_earlier_runs',
    text: `SELECT j.id AS "jobId", j.step AS "stepName", o.id AS "orderId", j.fingerprint, j.input, j.result, j.context,
        j.context_in AS "contextIn", j.finished_at AS "finishedAt", o.params AS "orderParams", p.steps->'steps'->j.step AS step
      FROM (SELECT * FROM orders WHERE client_id = $1 AND id < $2 ORDER BY id DESC LIMIT ${ORDERS}) o
      JOIN plans p ON p.id = o.plan_id JOIN jobs j ON j.order_id = o.id AND j.item = 0 AND (j.step = $3 OR j.profile_id = $5)
      WHERE j.state = 'completed' AND j.kind = 'task' AND j.origin IS NULL AND j.finished_at < $4 ORDER BY o.id DESC`,
    values: [before.clientId, before.orderId, before.step, before.at, before.profileId],
  });
  return rows;
}
