import { runProcess } from '@connecta/runtime';
import { readWorkerApiConfig, startWorkerApi } from '@connecta/worker-kit';
import { follower } from './follower.ts';

await runProcess({
  name: 'follower-api',
  config: () => readWorkerApiConfig(process.env),
  async main({ config, log, closers, stopping }) {
    await startWorkerApi({ workerType: follower, config, log, closers, stopping });
  },
});
