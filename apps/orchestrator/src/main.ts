import { openBlobs } from '@connecta/blobs';
import { openQueue } from '@connecta/queue';
import { Metrics, createHealthApp, runProcess, startServer } from '@connecta/runtime';
import { openStore } from '@connecta/store';
import { readOrchestratorConfig } from './config.ts';
import { openNotifier } from './notify/open-notifier.ts';
import { Orchestrator } from './orchestrator.ts';
import { Retention } from './retain/retention.ts';
import { Loop } from './run/loop.ts';

await runProcess({
  name: 'orchestrator',
  config: () => readOrchestratorConfig(process.env),
  async main({ config, log, closers, stopping }) {
    const onError = (error: Error): void => log.warn({ err: error }, 'a connection failed');
    const store = closers.use(
      'store',
      openStore({ databaseUrl: config.databaseUrl, applicationName: `connecta-${config.name}`, onError }),
    );
    const queue = closers.use('queue', openQueue({ ...config.queue, onError }));
    await queue.check();
    const metrics = new Metrics({ name: 'orchestrator', process: true });
    const orchestrator = new Orchestrator({
      store,
      queue,
      databaseUrl: config.databaseUrl,
      leaseKey: config.leaseKey,
      name: config.name,
      timers: config.timers,
      retry: config.retry,
      reconcileMs: config.reconcileMs,
      log,
      metrics,
      openBlobs: () => openBlobs(config.blobs),
    });
    closers.add('orchestrator', () => orchestrator.stop());
    await orchestrator.start();
    const retention = new Retention({ store, openBlobs: () => openBlobs(config.blobs), log });
    const sweeping = new Loop({
      name: 'retain',
      tick: () => retention.tick(),
      idleMs: config.retentionIntervalMs,
      log,
    });
    closers.add('retention', () => sweeping.stop());
    sweeping.start();
    const notifier = openNotifier(config.notify, { store, log, closers });
    const telling = new Loop({ name: 'notify', tick: () => notifier.tick(), idleMs: 1000, log });
    closers.add('notify', () => telling.stop());
    telling.start();
    const ready = { database: () => store.pool.query('SELECT 1'), queue: () => queue.check() };
    const app = createHealthApp({ ready, metrics, log, stopping });
    const server = await startServer(app, { port: config.port, host: config.host });
    closers.add('http', () => server.close());
    log.info({ url: server.url, replica: config.name }, 'the orchestrator runs');
  },
});
