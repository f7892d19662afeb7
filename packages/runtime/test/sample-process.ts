import { z } from 'zod';
import { configFields, processConfig, processConfigFields, readConfig, runProcess } from '../src/index.ts';

const schema = z.object({ ...processConfigFields, MODE: configFields.text() });

await runProcess({
  name: 'sample',
  config: () => {
    const env = readConfig(schema, process.env);
    return { ...processConfig(env), mode: env.MODE };
  },
  main: ({ config, closers, stopping, log }) => {
    const alive = setInterval(() => undefined, 1_000);
    closers.add('interval', () => clearInterval(alive));
    closers.add('slow', async () => {
      if (config.mode === 'stuck') await new Promise(() => undefined);
      log.info({ aborted: stopping.aborted, authorization: 'Bearer secret' }, 'closed');
    });
    if (config.mode === 'reject') void Promise.reject(new Error('unheard'));
    if (config.mode === 'fail') throw new Error('no start');
    return Promise.resolve();
  },
});
