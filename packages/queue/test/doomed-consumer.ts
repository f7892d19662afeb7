/** A consumer that takes work and never ends it, to be killed: `<kind> <url> <prefix> <type> <lockMs>`. */
import { openQueue } from '../src/index.ts';

const [kind, url = '', prefix = '', type = '', lockMs] = process.argv.slice(2);
const queue = openQueue({
  kind: kind === 'postgres' ? 'postgres' : 'redis',
  url,
  prefix,
  lockMs: Number(lockMs),
  onError: (error) => console.error(error),
});
queue.jobs.consume(type, {
  instance: 'doomed',
  slots: 2,
  handle: (taken) => {
    process.send?.(taken.id);
    return new Promise(() => undefined);
  },
});
