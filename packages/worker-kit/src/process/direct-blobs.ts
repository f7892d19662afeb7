import { openBlobs, type Blobs } from '@connecta/blobs';
import { blobError } from '../be-api/job-blobs.ts';
import type { BlobAccess } from '../runner/ports.ts';

/**
 * For a type with credentials of its own for Blob Storage (`blobAccess: direct`): reads go straight there, which spares
 * be-api the bytes. Writes go through be-api all the same, since it is what knows whose a new blob is.
 */
export function directReads(storage: { connectionString: string; container: string }, gateway: BlobAccess): BlobAccess {
  let opening: Promise<Blobs> | undefined;
  // Opened by the first read, and again when that failed: a runner starts without Blob Storage too.
  const opened = (): Promise<Blobs> =>
    (opening ??= openBlobs(storage).catch((error: unknown) => {
      opening = undefined;
      throw error;
    }));
  return {
    forAttempt(attempt) {
      const through = gateway.forAttempt(attempt);
      return {
        create: (blob, source) => through.create(blob, source),
        open: async (ref) => {
          try {
            const blobs = await opened();
            return await blobs.get(ref.blobId, { expect: { size: ref.size, sha256: ref.sha256 } });
          } catch (error) {
            throw blobError(error, attempt.signal, `blob ${ref.blobId} could not be read`);
          }
        },
      };
    },
  };
}
