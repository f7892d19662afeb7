import { Problem, type FeApiOperations } from '@connecta/contracts';
import { serveBlob } from '@connecta/blobs';
import {
  announcedBytes,
  bodyOf,
  dropBody,
  fileNameFrom,
  mediaTypeFrom,
  receiveBlobOnce,
  type BlobIntake,
} from '@connecta/intake';
import { answer, idempotencyKeyOf, inputOf, type OperationAnswer } from '@connecta/runtime';
import { blobRefOf, extendBlob, removeBlob, type Blob } from '@connecta/store';
import { Router, type Request, type Response } from 'express';
import { ownerOf, requireWriter, visibleBlob, type BlobAccess } from '../blobs/blob-access.ts';
import { receiveForm } from '../blobs/receive-form.ts';

type BlobView = OperationAnswer<FeApiOperations['getBlob'], 200>;

/** The longest that anybody may keep a blob with a date: a typing error in a year should show. */
const MAX_KEEP_MS = 100 * 365.25 * 86_400_000;

/** Bytes with an id: stored in one go, read whole or in ranges, kept as long as retention says. */
export function blobsRouter(parts: BlobIntake & { access: BlobAccess }): Router {
  const router = Router();
  const { access, store, blobs } = parts;
  const visible = (req: Request): Promise<Blob> =>
    visibleBlob(store, access.callerOf(req), inputOf<FeApiOperations['readBlob']>(req).path.id);

  router.post('/v1/blobs', (req, res) => create(parts, req, res));

  router.get('/v1/blobs/:id', async (req, res) => {
    const blob = await visible(req);
    const { fileName, expiresAt } = blob;
    await serveBlob(req, res, { blobs, blob: { ...blobRefOf(blob), fileName, expiresAt } });
  });

  router.get('/v1/blobs/:id/info', async (req, res) => {
    answer<FeApiOperations['getBlob'], 200>(res, 200, blobView(await visible(req)));
  });

  router.patch('/v1/blobs/:id', async (req, res) => {
    requireWriter(access.callerOf(req));
    const { expiresAt } = inputOf<FeApiOperations['extendBlob']>(req).body;
    // An expired blob that is still there can be kept: only the sweep ends it.
    const { id } = await visible(req);
    const kept = await extendBlob(store, { id, expiresAt: keepUntil(expiresAt) });
    if (!kept) throw new Problem('gone', 'The blob has expired.');
    answer<FeApiOperations['extendBlob'], 200>(res, 200, blobView(kept));
  });

  router.delete('/v1/blobs/:id', async (req, res) => {
    requireWriter(access.callerOf(req));
    const { id } = await visible(req);
    if ((await removeBlob(store, blobs, id)) === 'in_use') {
      throw new Problem('in_use', 'An order that has not ended, or a schedule, refers to this blob.');
    }
    res.status(204).end();
  });
  return router;
}

async function create(parts: BlobIntake & { access: BlobAccess }, req: Request, res: Response): Promise<void> {
  const { query, header } = inputOf<FeApiOperations['createBlob']>(req);
  const caller = parts.access.callerOf(req);
  const idempotencyKey = idempotencyKeyOf(req);
  const { createdBy } = caller;
  let made: { blob: Blob; repeated: boolean };
  if (/^multipart\/form-data\b/i.test(req.headers['content-type'] ?? '')) {
    const form = await receiveForm(req, parts, {
      createdBy,
      idempotencyKey,
      ownerOf: (fields) => ownerOf(parts.access, caller, query.client ?? fields.get('client')),
    });
    if (!form.file) throw new Problem('bad_request', 'The form has no part "file".', { faults: [NO_FILE] });
    made = form.file;
  } else {
    const incoming = {
      clientId: await ownerOf(parts.access, caller, query.client),
      createdBy,
      idempotencyKey,
      mediaType: mediaTypeFrom(req.headers['content-type']),
      fileName: fileNameFrom(query.fileName),
      expect: { size: announcedBytes(req), sha256: header['connecta-sha256'] },
    };
    made = await receiveBlobOnce(parts, bodyOf(req), incoming).catch((error: unknown) => {
      dropBody(req);
      throw error;
    });
  }
  res.setHeader('Location', `/v1/blobs/${made.blob.id}`);
  answer<FeApiOperations['createBlob'], 200 | 201>(res, made.repeated ? 200 : 201, blobView(made.blob));
}

const NO_FILE = { path: '/file', message: 'is required' };

/** @throws Problem bad_request for a time that is past, or beyond all sense. */
function keepUntil(text: string | null): Date | null {
  if (text === null) return null;
  const keepMs = Date.parse(text) - Date.now();
  if (keepMs > 0 && keepMs < MAX_KEEP_MS) return new Date(text);
  const message = 'must be a time to come, within a hundred years';
  throw new Problem('bad_request', `expiresAt ${message}.`, { faults: [{ path: '/expiresAt', message }] });
}

function blobView(blob: Blob): BlobView {
  return {
    ...blobRefOf(blob),
    ...(blob.fileName === null ? {} : { fileName: blob.fileName }),
    ...(blob.jobId === null ? {} : { jobId: blob.jobId }),
    client: blob.ownerClientId,
    createdBy: blob.createdBy,
    createdAt: blob.createdAt.toISOString(),
    expiresAt: blob.expiresAt?.toISOString() ?? null,
  };
}
