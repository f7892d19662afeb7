import { OPENAPI_DOCUMENTS, Problem } from '@connecta/contracts';
import { Metrics, bearerOf, createApi, silentLogger } from '@connecta/runtime';
import { FakeBeApi } from './fake-be-api.ts';
import { hearReport } from './hear-report.ts';
import { jobRoutes } from './job-routes.ts';
import { QueueDesk, type QueueServer } from './queue-desk.ts';
import { workerRoutes } from './worker-routes.ts';

/** Starts a be-api of the kit's own, which checks every call against the real document. */
export async function startFake(options: {
  heartbeatMs: number;
  ackMs: number;
  queue?: QueueServer | undefined;
}): Promise<FakeBeApi> {
  const { queue, ...timers } = options;
  const desk = queue && (await QueueDesk.open(queue));
  const fake = new FakeBeApi({ ...timers, desk });
  desk?.start((body) => hearReport(fake, body));
  const app = createApi({
    name: 'conformance',
    openapi: OPENAPI_DOCUMENTS.beApi,
    routers: [workerRoutes(fake), jobRoutes(fake)],
    authenticate: async (req) => {
      if (bearerOf(req) !== fake.key) throw new Problem('unauthenticated', 'No service account has this key');
      return {};
    },
    ready: {},
    log: silentLogger(),
    metrics: new Metrics({ name: 'conformance' }),
  });
  await fake.listen(app);
  return fake;
}
