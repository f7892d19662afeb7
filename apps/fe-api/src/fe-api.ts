import { OPENAPI_DOCUMENTS } from '@connecta/contracts';
import type { Blobs } from '@connecta/blobs';
import { createIntake, storeValue, type BlobIntake } from '@connecta/intake';
import { AllowedHosts, createApi, type Logger, type Metrics } from '@connecta/runtime';
import { findClientId, type OrderWatch, type Store } from '@connecta/store';
import type { Express } from 'express';
import { authenticateCaller, callerOf } from './access/caller.ts';
import type { BlobAccess } from './blobs/blob-access.ts';
import type { FeApiConfig } from './config.ts';
import { answersRouter } from './routes/answers.ts';
import { apiKeysRouter } from './routes/api-keys.ts';
import { blobsRouter } from './routes/blobs.ts';
import { clientsRouter } from './routes/clients.ts';
import { notificationsRouter } from './routes/notifications.ts';
import { failedJobsRouter } from './routes/failed-jobs.ts';
import { jobLogsRouter } from './routes/job-logs.ts';
import { orderEventsRouter } from './routes/order-events.ts';
import { ordersRouter } from './routes/orders.ts';
import { profilesRouter } from './routes/profiles.ts';
import { rerunsRouter } from './routes/reruns.ts';
import { retriesRouter } from './routes/retries.ts';
import { schedulesRouter } from './routes/schedules.ts';
import { serviceAccountsRouter } from './routes/service-accounts.ts';
import { statsRouter } from './routes/stats.ts';
import { tasksRouter } from './routes/tasks.ts';
import { uploadsRouter } from './routes/uploads.ts';
import { workersRouter } from './routes/workers.ts';
import { workflowsRouter } from './routes/workflows.ts';
import { WorkerApis } from './workers/worker-apis.ts';

export interface FeApiDeps {
  config: Pick<
    FeApiConfig,
    | 'gatewayKey'
    | 'webhookKey'
    | 'workerUrlAllow'
    | 'workerApiTimeoutMs'
    | 'maxBlobBytes'
    | 'uploadTtlMs'
    | 'corsOrigins'
    | 'oidc'
  >;
  store: Store;
  blobs: Blobs;
  watch: OrderWatch;
  log: Logger;
  metrics: Metrics;
  stopping: AbortSignal;
  /** Answers that the document does not declare become a 500: on in tests. */
  responseValidation?: boolean;
}

/** The gateway for people and clients, as an Express app. */
export function createFeApi(deps: FeApiDeps): Express {
  const { config, store, blobs, watch, log, stopping } = deps;
  const blobIntake: BlobIntake = { store, blobs, maxBlobBytes: config.maxBlobBytes };
  const intake = createIntake({ store, storeValue: (from) => storeValue(blobIntake, from) });
  const access: BlobAccess = { callerOf, findClient: (idOrName) => findClientId(store, idOrName) };
  const workerApis = new WorkerApis({
    store,
    gatewayKey: config.gatewayKey,
    hosts: new AllowedHosts(config.workerUrlAllow),
    timeoutMs: config.workerApiTimeoutMs,
  });
  const bytes = { ...blobIntake, access };
  return createApi({
    name: 'fe-api',
    openapi: OPENAPI_DOCUMENTS.feApi,
    routers: [
      ordersRouter({ ...bytes, intake, watch, webhookKey: config.webhookKey, stopping }),
      answersRouter({ ...blobIntake, webhookKey: config.webhookKey }),
      retriesRouter({ store }),
      rerunsRouter({ store, intake }),
      orderEventsRouter({ store, watch, stopping }),
      jobLogsRouter({ store, stopping }),
      failedJobsRouter({ store }),
      uploadsRouter({ ...bytes, uploadTtlMs: config.uploadTtlMs }),
      blobsRouter(bytes),
      workersRouter({ store }),
      profilesRouter({ store, workerApis }),
      workflowsRouter({ store }),
      schedulesRouter({ store, intake }),
      tasksRouter({ store, intake }),
      clientsRouter({ store }),
      apiKeysRouter({ store }),
      serviceAccountsRouter({ store }),
      notificationsRouter({ store, webhookKey: config.webhookKey }),
      statsRouter({ store }),
    ],
    authenticate: authenticateCaller(store, config.oidc),
    ready: { database: () => store.pool.query('SELECT 1'), blobs: () => blobs.check() },
    log,
    metrics: deps.metrics,
    stopping,
    corsOrigins: config.corsOrigins,
    responseValidation: deps.responseValidation ?? false,
  });
}
