import { runProcess } from '@connecta/runtime';
import { readWorkerApiConfig, startWorkerApi } from '@connecta/worker-kit';
import { readBoth, readCuRules } from './config.ts';
import { cuWorkerType } from './worker-type.ts';

/** Functions are described here and run elsewhere. */
const noFolders = { use: () => Promise.reject(new Error('the API runs no functions')) };

await runProcess({
  name: 'cu-api',
  config: () => {
    const [config, rules] = readBoth(
      () => readWorkerApiConfig(process.env),
      () => readCuRules(process.env),
    );
    return { ...config, rules };
  },
  main: async ({ config, log, closers, stopping }) => {
    await startWorkerApi({ workerType: cuWorkerType(config.rules, noFolders), config, log, closers, stopping });
  },
});
