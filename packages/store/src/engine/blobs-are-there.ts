import { BLOB_LASTS } from '../blobs/blob.ts';

/** A condition: every blob that is named in a value (an SQL expression of JSON) can be read. */
export function blobsAreThere(value: string): string {
  return `NOT EXISTS (
  SELECT FROM jsonb_path_query(${value}, '$.**.blobId') member,
    LATERAL (SELECT (member #>> '{}') AS id) named
  LEFT JOIN blobs b ON b.id = CASE WHEN named.id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN named.id::uuid END
    AND b.state = 'ready' AND ${BLOB_LASTS}
  WHERE b.id IS NULL)`;
}
