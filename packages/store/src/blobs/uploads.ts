import type { BlobId, ClientId } from '@connecta/contracts';
import type { Prisma } from '../generated/prisma/client.ts';
import { createOnce, type IdempotentCreate } from '../idempotency/create-once.ts';
import type { Store } from '../store.ts';
import type { BlobState } from './blob.ts';

/** A resumable upload and the blob that it will be. */
export interface Upload {
  id: BlobId;
  ownerClientId: ClientId | null;
  createdBy: string;
  state: BlobState;
  mediaType: string;
  /** Bytes that are staged. */
  offset: number;
  /** Bytes in all; null while the client has not said. */
  length: number | null;
  metadata: { [name: string]: string };
  checksum: string | null;
  expiresAt: Date;
  expired: boolean;
}

/** An upload that this caller alone may write to, for as long as the lock is renewed. */
export interface LockedUpload extends Upload {
  lockToken: string;
  blocks: string[];
  hashState: Buffer | null;
}

/** Thrown when a write about an upload finds another holder, or no upload: the caller must stop writing. */
export class UploadLockLostError extends Error {
  override readonly name = 'UploadLockLostError';
  readonly uploadId: BlobId;

  constructor(uploadId: BlobId) {
    super(`the lock of upload ${uploadId} was lost`);
    this.uploadId = uploadId;
  }
}

const COLUMNS = `b.id, b.owner_client_id AS "ownerClientId", b.created_by AS "createdBy", b.state,
  b.media_type AS "mediaType", u."offset"::float8 AS "offset", u.length::float8 AS length, u.metadata, u.checksum,
  u.expires_at AS "expiresAt", u.expires_at < now() AS expired`;

export interface NewUpload {
  id: BlobId;
  ownerClientId: ClientId;
  createdBy: string;
  mediaType: string;
  fileName?: string | undefined;
  length: number | null;
  metadata: { [name: string]: string };
  checksum?: string | undefined;
  /** How long the client may take, in milliseconds. */
  ttlMs: number;
}

/**
 * Makes a resumable upload of no bytes yet; a repeat under the same key brings the first one, however far it is.
 *
 * @throws IdempotencyMismatchError, IdempotencyGoneError
 */
export async function createUpload(
  store: Store,
  upload: NewUpload,
  idempotency?: IdempotentCreate,
): Promise<{ id: BlobId; expiresAt: Date; repeated: boolean }> {
  const { made, repeated } = await createOnce(store, idempotency, {
    create: async (tx) => ({ id: upload.id, expiresAt: await insertUpload(tx, upload) }),
    idOf: ({ id }) => id,
    find: (id) => findUpload(store, id as BlobId),
  });
  return { id: made.id, expiresAt: made.expiresAt, repeated };
}

async function insertUpload(tx: Prisma.TransactionClient, upload: NewUpload): Promise<Date> {
  const { id, ownerClientId, createdBy, mediaType, fileName = null, length, checksum = null, ttlMs } = upload;
  const [made] = await tx.$queryRaw<{ expiresAt: Date }[]>`
    WITH blob AS (
      INSERT INTO blobs (id, owner_client_id, created_by, state, media_type, size, file_name, expires_at)
      SELECT ${id}::uuid, c.id, ${createdBy}, 'uploading', ${mediaType}, 0, ${fileName},
        now() + c.retention_days * interval '1 day'
      FROM clients c WHERE c.id = ${ownerClientId}::uuid RETURNING id)
    INSERT INTO uploads (blob_id, length, blocks, metadata, checksum, expires_at)
    SELECT id, ${length}::bigint, '{}', ${JSON.stringify(upload.metadata)}::jsonb, ${checksum},
      now() + ${ttlMs}::float8 * interval '1 millisecond'
    FROM blob RETURNING expires_at AS "expiresAt"`;
  if (!made) throw new Error(`client ${ownerClientId} is gone`);
  return made.expiresAt;
}

/** One upload; null when there is none (never was, given up, or finished and forgotten). */
export async function findUpload(store: Store, id: BlobId): Promise<Upload | null> {
  const { rows } = await store.pool.query<Upload>({
    name: 'find_upload',
    text: `SELECT ${COLUMNS} FROM uploads u JOIN blobs b ON b.id = u.blob_id WHERE u.blob_id = $1`,
    values: [id],
  });
  return rows[0] ?? null;
}

/** Takes an upload's lock for `leaseMs`; null while somebody else holds it, or when there is no such upload. */
export async function lockUpload(
  store: Store,
  lock: { id: BlobId; token: string; leaseMs: number },
): Promise<LockedUpload | null> {
  const { rows } = await store.pool.query<LockedUpload>({
    name: 'lock_upload',
    text: `UPDATE uploads u SET lock_token = $2, locked_until = now() + $3 * interval '1 millisecond'
           FROM blobs b WHERE b.id = u.blob_id AND u.blob_id = $1
             AND (u.lock_token IS NULL OR u.locked_until < now())
           RETURNING ${COLUMNS}, u.lock_token AS "lockToken", u.blocks, u.hash_state AS "hashState"`,
    values: [lock.id, lock.token, lock.leaseMs],
  });
  return rows[0] ?? null;
}

/** Keeps the lock for another `leaseMs`. @throws UploadLockLostError */
export async function renewUploadLock(
  store: Store,
  lock: { id: BlobId; token: string; leaseMs: number },
): Promise<void> {
  const { rowCount } = await store.pool.query({
    name: 'renew_upload_lock',
    text: `UPDATE uploads SET locked_until = now() + $3 * interval '1 millisecond'
           WHERE blob_id = $1 AND lock_token = $2`,
    values: [lock.id, lock.token, lock.leaseMs],
  });
  if (rowCount !== 1) throw new UploadLockLostError(lock.id);
}

/** Lets go of an upload; no error when somebody else has it by now. */
export async function unlockUpload(store: Store, lock: { id: BlobId; token: string }): Promise<void> {
  await store.pool.query({
    name: 'unlock_upload',
    text: `UPDATE uploads SET lock_token = NULL, locked_until = NULL WHERE blob_id = $1 AND lock_token = $2`,
    values: [lock.id, lock.token],
  });
}

/** Notes staged blocks: the upload goes on behind them. @throws UploadLockLostError */
export async function advanceUpload(
  store: Store,
  step: {
    id: BlobId;
    token: string;
    fromOffset: number;
    bytes: number;
    blockIds: readonly string[];
    hashState: Uint8Array | null;
    leaseMs: number;
    ttlMs: number;
  },
): Promise<void> {
  const { rowCount } = await store.pool.query({
    name: 'advance_upload',
    text: `UPDATE uploads SET "offset" = $3::bigint + $4, blocks = blocks || $5::text[], hash_state = $6,
             locked_until = now() + $7 * interval '1 millisecond', updated_at = now(),
             expires_at = now() + $8 * interval '1 millisecond'
           WHERE blob_id = $1 AND lock_token = $2 AND "offset" = $3`,
    values: [
      ...[step.id, step.token, step.fromOffset, step.bytes],
      ...[step.blockIds, step.hashState && Buffer.from(step.hashState), step.leaseMs, step.ttlMs],
    ],
  });
  if (rowCount !== 1) throw new UploadLockLostError(step.id);
}

/** Says how long an upload will be, once. @throws UploadLockLostError */
export async function setUploadLength(
  store: Store,
  upload: { id: BlobId; token: string; length: number },
): Promise<void> {
  const { rowCount } = await store.pool.query({
    name: 'set_upload_length',
    text: `UPDATE uploads SET length = $3 WHERE blob_id = $1 AND lock_token = $2 AND length IS NULL`,
    values: [upload.id, upload.token, upload.length],
  });
  if (rowCount !== 1) throw new UploadLockLostError(upload.id);
}

/** Makes the blob of a whole upload readable; the upload stays known, without blocks, until it expires. */
export async function finishUpload(store: Store, upload: { id: BlobId; token: string; sha256: string }): Promise<void> {
  const { rowCount } = await store.pool.query({
    name: 'finish_upload',
    text: `WITH upload AS (
             UPDATE uploads SET blocks = '{}', hash_state = NULL
             WHERE blob_id = $1 AND lock_token = $2 AND "offset" = length RETURNING blob_id, "offset")
           UPDATE blobs b SET state = 'ready', size = upload."offset", sha256 = $3
           FROM upload WHERE b.id = upload.blob_id AND b.state = 'uploading'`,
    values: [upload.id, upload.token, upload.sha256],
  });
  if (rowCount !== 1) throw new UploadLockLostError(upload.id);
}
