import { runProcess } from '@connecta/runtime';
import { readRunnerConfig, startRunner } from '@connecta/worker-kit';
import { follower } from './follower.ts';

await runProcess({
  name: 'follower-runner',
  config: () => readRunnerConfig(process.env),
  main(scope) {
    const { config, log, closers } = scope;
    startRunner({ workerType: follower, config, log, closers, onDrained: () => scope.stop('drained') });
    return Promise.resolve();
  },
});
