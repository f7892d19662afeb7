import { Problem, OPENAPI_DOCUMENTS } from '@connecta/contracts';
import type { Blobs } from '@connecta/blobs';
import { Metrics, bearerOf, createApi, principalOf, silentLogger } from '@connecta/runtime';
import { findClientId, type Store } from '@connecta/store';
import type { Express } from 'express';
import type { BlobCaller } from '../src/blobs/blob-access.ts';
import { blobsRouter } from '../src/routes/blobs.ts';
import { uploadsRouter } from '../src/routes/uploads.ts';

/** The upload and blob routes behind the real validation, with callers that a test names by key. */
export function createBytesApi(parts: {
  store: Store;
  blobs: Blobs;
  callers: ReadonlyMap<string, BlobCaller>;
  maxBlobBytes?: number;
  uploadTtlMs?: number;
}): Express {
  const routes = {
    ...parts,
    maxBlobBytes: parts.maxBlobBytes ?? 5 * 1024 ** 3,
    uploadTtlMs: parts.uploadTtlMs ?? 86_400_000,
    access: {
      callerOf: (req: Parameters<typeof principalOf>[0]) => principalOf<BlobCaller>(req),
      findClient: (idOrName: string) => findClientId(parts.store, idOrName),
    },
  };
  return createApi({
    name: 'fe-api',
    openapi: OPENAPI_DOCUMENTS.feApi,
    routers: [uploadsRouter(routes), blobsRouter(routes)],
    authenticate: async (req) => {
      const caller = parts.callers.get(bearerOf(req));
      if (!caller) throw new Problem('unauthenticated', 'No such key');
      return caller;
    },
    ready: {},
    log: silentLogger(),
    metrics: new Metrics({ name: 'fe-api' }),
    responseValidation: true,
  });
}
