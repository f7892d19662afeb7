import { OPENAPI_DOCUMENTS, Problem } from '@connecta/contracts';
import { bearerOf, createApi, hashKey, keyMatches, Metrics, type Logger } from '@connecta/runtime';
import { Router, type Express } from 'express';
import type { Catalogue } from '../function/catalogue.ts';
import { findMisfits } from '../profiles/misfits.ts';
import type { ProfileService } from '../profiles/profile-service.ts';
import type { ProfileStore, StoredProfile } from '../profiles/profile-store.ts';
import { listAllProfiles } from '../profiles/read-profiles.ts';
import type { SecretVault } from '../profiles/secret-vault.ts';
import { profileRoutes } from './profile-routes.ts';
import { showFunction } from './views.ts';

export interface WorkerAppOptions {
  type: string;
  store: ProfileStore;
  service: ProfileService;
  catalogue: Catalogue;
  vault: SecretVault;
  /** The one credential that may call. */
  gatewayKey: string;
  onChange: (profile: StoredProfile) => void;
  /** Whether be-api was ever told of the type: before that, no order can name its tasks. Without it, it was. */
  isRegistered?: () => boolean;
  log: Logger;
  responseValidation?: boolean;
  stopping?: AbortSignal;
}

/** The Express app of a worker type's API. */
export function createWorkerApp(options: WorkerAppOptions): Express {
  const { type, store, service, catalogue, vault, log } = options;
  const knownHash = hashKey(options.gatewayKey);
  const functions = Router();
  functions.get('/v1/functions', async (_req, res) => {
    const profiles = (await listAllProfiles(store)).filter(({ deletedAt }) => deletedAt === null);
    const misfits = findMisfits({ profiles, catalogue, vault });
    res.json({ items: [...catalogue.values()].map(({ definition }) => showFunction(definition, misfits)) });
  });
  return createApi({
    name: `${type}-api`,
    openapi: OPENAPI_DOCUMENTS.workerApi,
    routers: [profileRoutes({ store, service, onChange: options.onChange }), functions],
    authenticate: async (req) => {
      if (!keyMatches(bearerOf(req), knownHash))
        throw new Problem('unauthenticated', 'the key is not that of the gateway');
      return { gateway: true };
    },
    ready: {
      database: () => store.prisma.$queryRaw`SELECT 1`,
      registration: () =>
        options.isRegistered?.() === false ? Promise.reject(new Error('be-api was not told yet')) : Promise.resolve(),
    },
    log,
    metrics: new Metrics({ name: `${type}-api`, process: true }),
    responseValidation: options.responseValidation ?? false,
    ...(options.stopping === undefined ? {} : { stopping: options.stopping }),
  });
}
