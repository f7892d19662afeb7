import { runProcess } from '@connecta/runtime';
import { JobFolders, readRunnerConfig, startRunner } from '@connecta/worker-kit';
import { limitSharp } from './image/limit-sharp.ts';
import { workFolder } from './work-folder.ts';
import { genericWorkerType } from './worker-type.ts';

await runProcess({
  name: 'generic-runner',
  config: () => readRunnerConfig(process.env),
  main: async (scope) => {
    const { config, log, closers } = scope;
    limitSharp();
    const folders = await JobFolders.open(workFolder(config.dataDir));
    closers.add('work folder', () => folders.close());
    startRunner({
      workerType: genericWorkerType(folders),
      config,
      log,
      closers,
      onDrained: () => scope.stop('drained'),
    });
  },
});
