import type { BlobRef, ClientId, JobId, JsonValue, OrderId } from '@connecta/contracts';
import { blobsAreThere } from '../engine/blobs-are-there.ts';
import type { Store } from '../store.ts';

/** What the result cache holds for a fingerprint. */
export interface KeptResult {
  fingerprint: string;
  jobId: JobId;
  orderId: OrderId;
  result: JsonValue;
  context: BlobRef | null;
  keptAt: Date;
  ageMs: number;
  /** False when some blob of it can no longer be read. */
  blobsAreThere: boolean;
}

/** What the cache of a client holds for these fingerprints, however old it is. */
export async function findKeptResults(
  store: Store,
  wanted: { clientId: ClientId; fingerprints: readonly string[] },
): Promise<KeptResult[]> {
  const { rows } = await store.pool.query<KeptResult>({
    name: 'find_kept_results',
    text: `SELECT c.fingerprint, j.id AS "jobId", j.order_id AS "orderId", j.result, j.context, c.created_at AS "keptAt",
        (extract(epoch FROM now() - c.created_at) * 1000)::float8 AS "ageMs",
        ${blobsAreThere('jsonb_build_array(j.result, j.context)')} AS "blobsAreThere"
      FROM cached_results c JOIN jobs j ON j.id = c.job_id AND j.fingerprint = c.fingerprint AND j.state = 'completed'
      WHERE c.client_id = $1 AND c.fingerprint = ANY($2::text[])`,
    values: [wanted.clientId, wanted.fingerprints],
  });
  return rows;
}
