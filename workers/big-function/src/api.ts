import { runProcess } from '@connecta/runtime';
import { readWorkerApiConfig, startWorkerApi } from '@connecta/worker-kit';
import { bigFunctionWorkerType } from './worker-type.ts';

/** Functions are described here and run elsewhere. */
const noFolders = { use: () => Promise.reject(new Error('the API runs no functions')) };

await runProcess({
  name: 'big-function-api',
  config: () => readWorkerApiConfig(process.env),
  main: async ({ config, log, closers, stopping }) => {
    await startWorkerApi({ workerType: bigFunctionWorkerType(noFolders), config, log, closers, stopping });
  },
});
