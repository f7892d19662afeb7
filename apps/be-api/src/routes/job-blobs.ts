import type { BeApiOperations, BlobId } from '@connecta/contracts';
import { serveBlob } from '@connecta/blobs';
import { announcedBytes, bodyOf, dropBody, fileNameFrom, mediaTypeFrom, type BlobIntake } from '@connecta/intake';
import { answer, inputOf } from '@connecta/runtime';
import { blobRefOf } from '@connecta/store';
import { Router, type Request } from 'express';
import { accountOf, createdByOf } from '../authenticate.ts';
import { fileNameHeader } from '../blobs/file-name-header.ts';
import { heldJob, type HeldJob, type LeaseCheck } from '../jobs/held-job.ts';
import { readableBlob, writeJobBlob } from '../jobs/job-blobs.ts';
import { JsonReferences } from '../jobs/json-references.ts';

/** Bytes in and out of a running job, only while its lease is held. */
export function jobBlobsRouter(parts: BlobIntake & LeaseCheck): Router {
  const router = Router();
  const { blobs } = parts;
  const reading = { ...parts, references: new JsonReferences(blobs) };
  const held = (req: Request): Promise<HeldJob> => {
    const { path, header } = inputOf<BeApiOperations['readJobBlob']>(req);
    const { workerType } = accountOf(req);
    return heldJob(parts, { jobId: path.jobId, lease: header['connecta-lease'], workerType });
  };

  router.get('/v1/jobs/:jobId/blobs/:blobId', async (req, res) => {
    const { blobId } = inputOf<BeApiOperations['readJobBlob']>(req).path;
    const blob = await readableBlob(reading, await held(req), blobId as BlobId);
    await serveBlob(req, res, { blobs, blob: { ...blobRefOf(blob), fileName: blob.fileName } });
  });

  router.put('/v1/jobs/:jobId/blobs/:blobId', async (req, res) => {
    const { path, header } = inputOf<BeApiOperations['writeJobBlob']>(req);
    const job = await held(req);
    const { blob, repeated } = await writeJobBlob(parts, job, {
      id: path.blobId as BlobId,
      createdBy: createdByOf(accountOf(req)),
      mediaType: mediaTypeFrom(req.headers['content-type']),
      fileName: fileNameFrom(fileNameHeader(header['connecta-file-name'])),
      expect: { size: announcedBytes(req), sha256: header['connecta-sha256'] },
      source: bodyOf(req),
    }).catch((error: unknown) => {
      dropBody(req);
      throw error;
    });
    answer<BeApiOperations['writeJobBlob'], 200 | 201>(res, repeated ? 200 : 201, blobRefOf(blob));
  });
  return router;
}
