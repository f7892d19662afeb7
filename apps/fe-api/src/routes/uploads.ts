import { Problem, isId, newId, type BlobId } from '@connecta/contracts';
import { announcedBytes, bodyOf, dropBody, fileNameFrom, mediaTypeFrom, refuseTooLarge } from '@connecta/intake';
import { idempotencyOf } from '@connecta/runtime';
import { createUpload, findUpload, removeBlob, setUploadLength, type LockedUpload, type Upload } from '@connecta/store';
import { Router, type Request, type Response } from 'express';
import { withStoreProblems } from '../access/store-problems.ts';
import { maySee, ownerOf, requireWriter, type BlobAccess } from '../blobs/blob-access.ts';
import { appendBytes, finishWhole, giveUp, type UploadParts } from '../uploads/append-bytes.ts';
import {
  TUS_CHECKSUMS,
  TUS_EXTENSIONS,
  TUS_VERSION,
  byteCount,
  checksumOf,
  lengthOfNew,
  metadataHeader,
  metadataOf,
  requireTus,
} from '../uploads/tus-headers.ts';
import { withUploadLock, type SilenceWatch } from '../uploads/upload-lock.ts';

const BYTES = 'application/offset+octet-stream';

/**
 * Resumable uploads: the tus protocol 1.0.0 (https://tus.io/protocols/resumable-upload), over a store of our own that
 * any replica can go on with. The upload's id is the blob's.
 */
export function uploadsRouter(parts: UploadParts & { access: BlobAccess }): Router {
  const router = Router();
  const routes = new UploadRoutes(parts);
  router.options(['/v1/uploads', '/v1/uploads/:id'], (_req, res) => {
    res.setHeader('Tus-Version', TUS_VERSION);
    res.setHeader('Tus-Extension', TUS_EXTENSIONS);
    res.setHeader('Tus-Checksum-Algorithm', TUS_CHECKSUMS.join(','));
    res.setHeader('Tus-Max-Size', String(parts.maxBlobBytes));
    res.setHeader('Tus-Resumable', TUS_VERSION);
    res.status(204).end();
  });
  router.use(['/v1/uploads', '/v1/uploads/:id'], (req, res, next) => {
    res.setHeader('Tus-Resumable', TUS_VERSION);
    res.setHeader('Cache-Control', 'no-store');
    requireTus(req);
    next();
  });
  router.post('/v1/uploads', (req, res) => routes.create(req, res));
  router.head('/v1/uploads/:id', (req, res) => routes.tell(req, res));
  router.patch('/v1/uploads/:id', (req, res) => routes.append(req, res));
  router.delete('/v1/uploads/:id', (req, res) => routes.terminate(req, res));
  return router;
}

class UploadRoutes {
  readonly #parts: UploadParts & { access: BlobAccess };

  constructor(parts: UploadParts & { access: BlobAccess }) {
    this.#parts = parts;
  }

  async create(req: Request, res: Response): Promise<void> {
    const { access, store, uploadTtlMs } = this.#parts;
    const length = lengthOfNew(req);
    refuseTooLarge(this.#parts, length ?? undefined);
    const metadata = metadataOf(req);
    const withBytes = req.headers['content-type'] === BYTES;
    const checksum = withBytes ? checksumOf(req) : null;
    const caller = access.callerOf(req);
    const upload = {
      id: newId<BlobId>(),
      length,
      metadata,
      ownerClientId: await ownerOf(access, caller, metadata['client']),
      createdBy: caller.createdBy,
      mediaType: mediaTypeFrom(metadata['filetype']),
      fileName: fileNameFrom(metadata['filename']),
      checksum: sha256From(metadata['sha256']),
      ttlMs: uploadTtlMs,
    };
    const idempotency = idempotencyOf(req, JSON.stringify([length, metadata]));
    const once = idempotency && { ...idempotency, scope: `uploads:${upload.ownerClientId}` };
    const { id, expiresAt, repeated } = await withStoreProblems(createUpload(store, upload, once));
    res.setHeader('Location', `/v1/uploads/${id}`);
    res.setHeader('Upload-Expires', expiresAt.toUTCString());
    if (repeated) {
      // What came with the first request may have arrived in part: the client goes on from where it is.
      dropBody(req);
      const { offset } = (await findUpload(store, id)) ?? { offset: 0 };
      res.setHeader('Upload-Offset', String(offset));
    } else if (withBytes || length === 0) {
      const offset = await withUploadLock(store, id, (upload, silence) =>
        this.#receive(req, upload, { silence, checksum }),
      );
      res.setHeader('Upload-Offset', String(offset));
    }
    res.status(201).end();
  }

  async tell(req: Request, res: Response): Promise<void> {
    let upload = await this.#visible(req);
    if (upload.state === 'uploading' && upload.offset === upload.length) {
      // The process that took the last bytes died before it made a blob of them.
      await withUploadLock(this.#parts.store, upload.id, (locked) => finishWhole(this.#parts, locked));
      upload = await this.#visible(req);
    }
    res.setHeader('Upload-Offset', String(upload.offset));
    if (upload.length === null) res.setHeader('Upload-Defer-Length', '1');
    else res.setHeader('Upload-Length', String(upload.length));
    const metadata = metadataHeader(upload.metadata);
    if (metadata !== '') res.setHeader('Upload-Metadata', metadata);
    res.setHeader('Upload-Expires', upload.expiresAt.toUTCString());
    res.status(200).end();
  }

  async append(req: Request, res: Response): Promise<void> {
    if (req.headers['content-type'] !== BYTES) {
      throw new Problem('unsupported_media_type', `The body must be ${BYTES}.`);
    }
    const offset = byteCount(req, 'Upload-Offset');
    if (offset === undefined) {
      throw new Problem('bad_request', 'Send Upload-Offset.', {
        faults: [{ path: 'header:upload-offset', message: 'is required' }],
      });
    }
    const length = byteCount(req, 'Upload-Length');
    const checksum = checksumOf(req);
    requireWriter(this.#parts.access.callerOf(req));
    const { id } = await this.#visible(req);
    const reached = await withUploadLock(this.#parts.store, id, async (upload, silence) => {
      if (upload.offset !== offset) {
        throw new Problem('offset_mismatch', `The upload is at ${upload.offset}.`, {
          extensions: { offset: upload.offset },
        });
      }
      const known = await this.#withLength(upload, length);
      return this.#receive(req, known, { silence, checksum });
    });
    res.setHeader('Upload-Offset', String(reached));
    const { expiresAt } = await this.#visible(req);
    res.setHeader('Upload-Expires', expiresAt.toUTCString());
    res.status(204).end();
  }

  async terminate(req: Request, res: Response): Promise<void> {
    const { access, store, blobs } = this.#parts;
    requireWriter(access.callerOf(req));
    const upload = await this.#visible(req);
    if (upload.state === 'uploading') {
      await withUploadLock(store, upload.id, (locked) => giveUp(this.#parts, locked));
    } else if ((await removeBlob(store, blobs, upload.id)) === 'in_use') {
      throw new Problem('in_use', 'An order that has not ended, or a schedule, refers to this blob.');
    }
    res.status(204).end();
  }

  async #receive(
    req: Request,
    upload: LockedUpload,
    body: { silence: SilenceWatch; checksum: ReturnType<typeof checksumOf> },
  ): Promise<number> {
    const room = (upload.length ?? this.#parts.maxBlobBytes) - upload.offset;
    if ((announcedBytes(req) ?? 0) > room) {
      throw new Problem('too_large', `The upload takes ${room} more bytes.`);
    }
    // Whole and readable already: there is nothing to add, and its hash is settled.
    if (upload.state === 'ready') return upload.offset;
    try {
      return await appendBytes(this.#parts, upload, {
        source: body.silence.over(bodyOf(req)),
        checksum: body.checksum,
      });
    } catch (error) {
      dropBody(req);
      throw error;
    }
  }

  async #withLength(upload: LockedUpload, length: number | undefined): Promise<LockedUpload> {
    if (length === undefined || length === upload.length) return upload;
    if (upload.length !== null || length < upload.offset) {
      throw new Problem('bad_request', 'The length of the upload is another one.', {
        faults: [{ path: 'header:upload-length', message: `does not fit the upload` }],
      });
    }
    refuseTooLarge(this.#parts, length);
    await setUploadLength(this.#parts.store, { id: upload.id, token: upload.lockToken, length });
    return { ...upload, length };
  }

  async #visible(req: Request): Promise<Upload> {
    const { id } = req.params;
    const upload = isId(id) ? await findUpload(this.#parts.store, id as BlobId) : null;
    if (!upload || upload.state === 'deleting' || !maySee(this.#parts.access.callerOf(req), upload.ownerClientId)) {
      throw new Problem('not_found', 'There is no such upload.');
    }
    if (upload.expired) throw new Problem('gone', 'The upload has expired; begin a new one.');
    return upload;
  }
}

function sha256From(text: string | undefined): string | undefined {
  if (text === undefined || /^[0-9a-f]{64}$/.test(text)) return text;
  throw new Problem('bad_request', 'The sha256 in Upload-Metadata is not one.', {
    faults: [{ path: 'header:upload-metadata', message: 'sha256 must be 64 lower-case hex digits' }],
  });
}
