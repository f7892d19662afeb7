import { runProcess } from '@connecta/runtime';
import { readRunnerConfig, startRunner } from '@connecta/worker-kit';
import { probe } from './probe.ts';

await runProcess({
  name: 'probe-runner',
  config: () => readRunnerConfig(process.env),
  main(scope) {
    const { config, log, closers } = scope;
    startRunner({ workerType: probe, config, log, closers, onDrained: () => scope.stop('drained') });
    return Promise.resolve();
  },
});
