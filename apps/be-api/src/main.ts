import { openBlobs } from '@connecta/blobs';
import { openQueue } from '@connecta/queue';
import { Metrics, runProcess, startServer } from '@connecta/runtime';
import { OrderWatch, openStore } from '@connecta/store';
import { createBeApi } from './be-api.ts';
import { readBeApiConfig } from './config.ts';

await runProcess({
  name: 'be-api',
  config: () => readBeApiConfig(process.env),
  async main({ config, log, closers, stopping }) {
    const { databaseUrl } = config;
    const onError = (error: Error): void => log.warn({ err: error }, 'a connection failed');
    const store = closers.use('store', openStore({ databaseUrl, applicationName: 'connecta-be-api', onError }));
    const queue = closers.use('queue', openQueue({ ...config.queue, onError }));
    const watch = closers.use('order watch', new OrderWatch({ databaseUrl, onError }));
    const blobs = await openBlobs(config.blobs);
    const metrics = new Metrics({ name: 'be-api', process: true });
    const app = createBeApi({ config, store, queue, blobs, watch, log, metrics, stopping });
    const server = await startServer(app, { port: config.port, host: config.host });
    closers.add('http', () => server.close());
    log.info({ url: server.url }, 'be-api listens');
  },
});
