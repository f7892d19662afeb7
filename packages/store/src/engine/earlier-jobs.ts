import type { BlobRef, JobId, JsonValue, OrderId } from '@connecta/contracts';
import type { Store } from '../store.ts';
import type { Batch } from './batch.ts';
import { blobsAreThere } from './blobs-are-there.ts';
import { oneByOne } from './one-by-one.ts';

/** A completed job whose result others may take over; every blob of its result and context can still be read. */
export interface EarlierJob {
  id: JobId;
  orderId: OrderId;
  step: string;
  fingerprint: string;
  result: JsonValue;
  context: BlobRef | null;
}

const COLUMNS = `j.id, j.order_id AS "orderId", j.step, j.fingerprint, j.result, j.context`;
const BLOBS_ARE_THERE = blobsAreThere('jsonb_build_array(j.result, j.context)');

/** The completed jobs of steps of orders that are run again. */
export function findOriginJobs(
  batch: Batch,
  wanted: readonly { orderId: OrderId; step: string }[],
): Promise<EarlierJob[]> {
  return batch.run(
    'find_origin_jobs',
    `SELECT ${COLUMNS} FROM json_to_recordset($1::json) x("orderId" uuid, step text)
     JOIN jobs j ON j.order_id = x."orderId" AND j.step = x.step AND j.item + 0 = 0
     WHERE j.state || '' = 'completed' AND j.fingerprint IS NOT NULL AND ${BLOBS_ARE_THERE} AND ${oneByOne('length(x.step)')}`,
    [JSON.stringify(wanted)],
  );
}

/** What the result cache holds for fingerprints of clients, none older than asked for. */
export function findCachedJobs(
  batch: Batch,
  wanted: readonly { clientId: string; fingerprint: string; ttlMs: number }[],
): Promise<(EarlierJob & { clientId: string; ageMs: number })[]> {
  return batch.run(
    'find_cached_jobs',
    `SELECT ${COLUMNS}, c.client_id AS "clientId", (extract(epoch FROM now() - c.created_at) * 1000)::float8 AS "ageMs"
     FROM json_to_recordset($1::json) x("clientId" uuid, fingerprint text, "ttlMs" bigint)
     CROSS JOIN LATERAL (SELECT * FROM cached_results WHERE client_id = x."clientId" AND fingerprint = x.fingerprint LIMIT 1) c
     JOIN jobs j ON j.id = c.job_id AND j.fingerprint = c.fingerprint
     WHERE c.created_at > now() - x."ttlMs" * interval '1 millisecond' AND j.state || '' = 'completed'
       AND ${BLOBS_ARE_THERE} AND ${oneByOne('length(x.fingerprint)')}`,
    [JSON.stringify(wanted)],
  );
}

/** Forgets what nobody may take over any more, some at a time. */
export async function forgetOldResults(store: Store): Promise<void> {
  await store.pool.query({
    name: 'forget_old_results',
    text: `DELETE FROM cached_results WHERE (client_id, fingerprint) IN (
             SELECT client_id, fingerprint FROM cached_results WHERE expires_at < now() - interval '1 day'
             ORDER BY expires_at LIMIT 5000)`,
  });
}

/** Notes jobs that completed with this batch for later ones of the same client, in one order of rows for all replicas. */
export function rememberResults(
  batch: Batch,
  jobs: readonly { jobId: JobId; clientId: string; ttlMs: number }[],
): Promise<unknown> {
  return batch.run(
    'remember_results',
    `INSERT INTO cached_results AS c (client_id, fingerprint, job_id, expires_at)
     SELECT DISTINCT ON (x."clientId", j.fingerprint) x."clientId", j.fingerprint, j.id,
       now() + x."ttlMs" * interval '1 millisecond'
     FROM json_to_recordset($1::json) x("jobId" uuid, "clientId" uuid, "ttlMs" bigint) JOIN jobs j ON j.id = x."jobId"
     WHERE j.fingerprint IS NOT NULL AND ${oneByOne('(x."ttlMs" / 1000)')}
     ORDER BY x."clientId", j.fingerprint
     ON CONFLICT (client_id, fingerprint) DO UPDATE SET job_id = excluded.job_id, created_at = now(),
       expires_at = excluded.expires_at`,
    [JSON.stringify(jobs)],
  );
}
