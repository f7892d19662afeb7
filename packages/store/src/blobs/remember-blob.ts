import type { BlobId } from '@connecta/contracts';
import type { Store } from '../store.ts';

/**
 * Notes which blob an Idempotency-Key led to, unless it led to one within the last 24 hours already; the one that counts.
 */
export async function rememberBlob(
  store: Store,
  made: { scope: string; key: string; bodyHash: string; blobId: BlobId },
): Promise<{ bodyHash: string; blobId: BlobId }> {
  const { rows } = await store.pool.query<{ bodyHash: string; blobId: BlobId }>({
    name: 'remember_blob',
    // The no-op update makes the row of an earlier request come back as well.
    text: `INSERT INTO idempotency_keys AS k (scope, key, body_hash, answer)
           VALUES ($1, $2, $3, jsonb_build_object('blobId', $4::text))
           ON CONFLICT (scope, key) DO UPDATE SET
             body_hash = CASE WHEN k.created_at < now() - interval '24 hours' THEN excluded.body_hash ELSE k.body_hash END,
             answer = CASE WHEN k.created_at < now() - interval '24 hours' THEN excluded.answer ELSE k.answer END,
             created_at = CASE WHEN k.created_at < now() - interval '24 hours' THEN now() ELSE k.created_at END
           RETURNING body_hash AS "bodyHash", answer ->> 'blobId' AS "blobId"`,
    values: [made.scope, made.key, made.bodyHash, made.blobId],
  });
  const [counts] = rows;
  if (!counts) throw new Error('an upsert returned no row');
  return counts;
}
