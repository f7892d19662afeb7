import { ASYNCAPI_DOCUMENT, OPENAPI_DOCUMENTS, leaseKey } from '@connecta/contracts';
import type { Blobs } from '@connecta/blobs';
import { createIntake, storeValue } from '@connecta/intake';
import type { QueueBackend } from '@connecta/queue';
import { AllowedHosts, createApi, type Logger, type Metrics } from '@connecta/runtime';
import type { OrderWatch, Store } from '@connecta/store';
import type { Express } from 'express';
import { authenticateServiceAccount } from './authenticate.ts';
import type { BeApiConfig } from './config.ts';
import { ClaimJobs } from './jobs/claim-jobs.ts';
import { JobReports } from './jobs/job-reports.ts';
import { OutputCheck } from './jobs/output-check.ts';
import { blobsRouter } from './routes/blobs.ts';
import { jobBlobsRouter } from './routes/job-blobs.ts';
import { jobLogsRouter } from './routes/job-logs.ts';
import { jobsRouter } from './routes/jobs.ts';
import { ordersRouter } from './routes/orders.ts';
import { tasksRouter } from './routes/tasks.ts';
import { workersRouter } from './routes/workers.ts';
import { QueueAccounts } from './workers/queue-access.ts';

export interface BeApiDeps {
  config: Pick<
    BeApiConfig,
    'queue' | 'queueWorkerUrl' | 'leaseKey' | 'workerUrlAllow' | 'heartbeatMs' | 'maxBlobBytes' | 'corsOrigins'
  >;
  store: Store;
  queue: QueueBackend;
  blobs: Blobs;
  watch: OrderWatch;
  log: Logger;
  metrics: Metrics;
  stopping: AbortSignal;
  /** Answers that the document does not declare become a 500: on in tests. */
  responseValidation?: boolean;
}

/** The gateway for machines, as an Express app. */
export function createBeApi(deps: BeApiDeps): Express {
  const { config, store, queue, blobs, watch, log, stopping } = deps;
  const accounts = new QueueAccounts({
    queue,
    prefix: config.queue.prefix,
    leaseKey: config.leaseKey,
    staticUrl: config.queueWorkerUrl,
    assertEveryMs: config.heartbeatMs,
    log,
  });
  const hosts = new AllowedHosts(config.workerUrlAllow);
  const bytes = { store, blobs, maxBlobBytes: config.maxBlobBytes };
  const leases = { store, leaseKey: leaseKey(config.leaseKey) };
  const intake = createIntake({ store, storeValue: (from) => storeValue(bytes, from) });
  const claims = new ClaimJobs({ store, queues: queue.jobs, heartbeatMs: config.heartbeatMs, stopping });
  const reports = new JobReports({
    ...leases,
    events: queue.events,
    watch,
    outputs: new OutputCheck(store, log),
    stopping,
  });
  return createApi({
    name: 'be-api',
    openapi: OPENAPI_DOCUMENTS.beApi,
    documents: { '/asyncapi.json': ASYNCAPI_DOCUMENT },
    routers: [
      workersRouter({ store, accounts, hosts, heartbeatMs: config.heartbeatMs }),
      ordersRouter({ ...leases, intake, watch, stopping }),
      jobsRouter({ claims, reports }),
      tasksRouter({ store, intake }),
      jobBlobsRouter({ ...bytes, ...leases }),
      jobLogsRouter(leases),
      blobsRouter(bytes),
    ],
    authenticate: authenticateServiceAccount(store),
    ready: {
      database: () => store.pool.query('SELECT 1'),
      queue: () => queue.check(),
      blobs: () => blobs.check(),
    },
    log,
    metrics: deps.metrics,
    stopping,
    corsOrigins: config.corsOrigins,
    responseValidation: deps.responseValidation ?? false,
  });
}
