import { runProcess } from '@connecta/runtime';
import { readRunnerConfig, startRunner } from '@connecta/worker-kit';
import { probe } from './probe.ts';

await runProcess({
  name: 'probe-runner',
  config: () => readRunnerConfig(process.env),
  main({ config, log, closers, stop }) {
    startRunner({ workerType: probe, config, log, closers, onDrained: () => stop('drained') });
    return Promise.resolve();
  },
});
