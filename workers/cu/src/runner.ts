import { runProcess } from '@connecta/runtime';
import { JobFolders, readRunnerConfig, startRunner } from '@connecta/worker-kit';
import { jobFolder, readBoth, readCuRules } from './config.ts';
import { endProcessTree } from './exec/process-tree.ts';
import { cuWorkerType } from './worker-type.ts';

await runProcess({
  name: 'cu-runner',
  config: () => {
    const [config, rules] = readBoth(
      () => readRunnerConfig(process.env),
      () => readCuRules(process.env),
    );
    return { ...config, rules };
  },
  main: async (scope) => {
    const { config, log, closers } = scope;
    // What a killed runner started may still run; its files are removed under it otherwise.
    const folders = await JobFolders.open(jobFolder(config.dataDir), async (folder) => {
      await endProcessTree({ folder, graceMs: 1_000 });
    });
    closers.add('job folders', () => folders.close());
    startRunner({
      workerType: cuWorkerType(config.rules, folders),
      config,
      log,
      closers,
      onDrained: () => scope.stop('drained'),
    });
  },
});
