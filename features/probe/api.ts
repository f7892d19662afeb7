import { runProcess } from '@connecta/runtime';
import { readWorkerApiConfig, startWorkerApi } from '@connecta/worker-kit';
import { probe } from './probe.ts';

await runProcess({
  name: 'probe-api',
  config: () => readWorkerApiConfig(process.env),
  async main({ config, log, closers, stopping }) {
    await startWorkerApi({ workerType: probe, config, log, closers, stopping });
  },
});
