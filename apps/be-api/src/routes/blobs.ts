import { Problem, type BeApiOperations, type BlobId } from '@connecta/contracts';
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
import { answer, idempotencyKeyOf, inputOf } from '@connecta/runtime';
import { blobRefOf, findBlob, findOrdersAbove, type Blob } from '@connecta/store';
import { Router } from 'express';
import { accountOf, createdByOf } from '../authenticate.ts';
import { fileNameHeader } from '../blobs/file-name-header.ts';
import { ownerOf } from '../blobs/owner-of.ts';

/** Bytes that a service account sends for a client, and the results of the orders that it placed. */
export function blobsRouter(parts: BlobIntake): Router {
  const router = Router();
  const { store, blobs } = parts;

  router.post('/v1/blobs', async (req, res) => {
    const { query, header } = inputOf<BeApiOperations['createBlob']>(req);
    const account = accountOf(req);
    const incoming = {
      clientId: await ownerOf(store, account, query.client),
      createdBy: createdByOf(account),
      idempotencyKey: idempotencyKeyOf(req),
      mediaType: mediaTypeFrom(req.headers['content-type']),
      fileName: fileNameFrom(fileNameHeader(header['connecta-file-name'])),
      expect: { size: announcedBytes(req), sha256: header['connecta-sha256'] },
    };
    const { blob } = await receiveBlobOnce(parts, bodyOf(req), incoming).catch((error: unknown) => {
      dropBody(req);
      throw error;
    });
    res.setHeader('Location', `/v1/blobs/${blob.id}`);
    answer<BeApiOperations['createBlob'], 201>(res, 201, blobRefOf(blob));
  });

  router.get('/v1/blobs/:id', async (req, res) => {
    const { id } = inputOf<BeApiOperations['readBlob']>(req).path;
    const blob = await findBlob(store, id as BlobId);
    if (!blob || blob.state !== 'ready' || !(await isOf(createdByOf(accountOf(req)), blob))) {
      throw new Problem('not_found', 'There is no such blob.');
    }
    await serveBlob(req, res, { blobs, blob: { ...blobRefOf(blob), fileName: blob.fileName } });
  });

  /** True for what the account sent itself, and for what was made in an order that it placed, child orders included. */
  async function isOf(account: string, blob: Blob): Promise<boolean> {
    if (blob.jobId === null) return blob.createdBy === account;
    const above = await findOrdersAbove(store, blob.jobId);
    return above.some(({ createdBy }) => createdBy === account);
  }
  return router;
}
