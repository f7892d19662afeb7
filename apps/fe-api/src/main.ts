import { openBlobs } from '@connecta/blobs';
import { Metrics, hashKey, runProcess, startServer } from '@connecta/runtime';
import { OrderWatch, assertAdminKey, assertClient, forgetOldKeys, openStore } from '@connecta/store';
import { DEFAULT_CLIENT } from './access/caller.ts';
import { readFeApiConfig } from './config.ts';
import { createFeApi } from './fe-api.ts';

const HOUSEKEEPING_MS = 3_600_000;

await runProcess({
  name: 'fe-api',
  config: () => readFeApiConfig(process.env),
  async main({ config, log, closers, stopping }) {
    const { databaseUrl } = config;
    const onError = (error: Error): void => log.warn({ err: error }, 'a connection failed');
    const store = closers.use('store', openStore({ databaseUrl, applicationName: 'connecta-fe-api', onError }));
    if (config.adminKey !== undefined) await assertAdminKey(store, hashKey(config.adminKey));
    await assertClient(store, DEFAULT_CLIENT);
    const watch = closers.use('order watch', new OrderWatch({ databaseUrl, onError }));
    const blobs = await openBlobs(config.blobs);
    const housekeeping = setInterval(() => {
      forgetOldKeys(store).catch((err: unknown) => log.warn({ err }, 'old Idempotency-Keys stay for now'));
    }, HOUSEKEEPING_MS);
    closers.add('housekeeping', () => clearInterval(housekeeping));
    const metrics = new Metrics({ name: 'fe-api', process: true });
    const app = createFeApi({ config, store, blobs, watch, log, metrics, stopping });
    const server = await startServer(app, { port: config.port, host: config.host });
    closers.add('http', () => server.close());
    log.info({ url: server.url }, 'fe-api listens');
  },
});
