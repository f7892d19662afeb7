import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProcess } from '@connecta/runtime';
import { JobFolders, readRunnerConfig, startRunner } from '@connecta/worker-kit';
import sharp from 'sharp';
import { bigFunctionWorkerType } from './worker-type.ts';

await runProcess({
  name: 'big-function-runner',
  config: () => readRunnerConfig(process.env),
  main: async (scope) => {
    const { config, log, closers } = scope;
    // libvips would keep files open, and decoded pixels, of jobs that are over.
    sharp.cache(false);
    const folders = await JobFolders.open(join(config.dataDir ?? join(tmpdir(), 'connecta-big-function'), 'jobs'));
    closers.add('job folders', () => folders.close());
    startRunner({
      workerType: bigFunctionWorkerType(folders),
      config,
      log,
      closers,
      onDrained: () => scope.stop('drained'),
    });
  },
});
