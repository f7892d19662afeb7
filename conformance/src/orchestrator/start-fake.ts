import { OPENAPI_DOCUMENTS, Problem } from '@connecta/contracts';
import { Metrics, bearerOf, createApi, silentLogger } from '@connecta/runtime';
import { FakeBeApi } from './fake-be-api.ts';
import { jobRoutes } from './job-routes.ts';
import { workerRoutes } from './worker-routes.ts';

/** Starts a be-api of the kit's own, which checks every call against the real document. */
export async function startFake(options: { heartbeatMs: number; ackMs: number }): Promise<FakeBeApi> {
  const fake = new FakeBeApi(options);
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
