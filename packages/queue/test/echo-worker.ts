/**
 * A worker that answers each delivery with a report, in a process of its own: an unhandled rejection ends it.
 * `<kind> <url> <prefix> <type> [stuckMs]`; tells its parent 'ready', each error, and 'asked <ms ago>' when asked.
 */
import { openQueue } from '../src/index.ts';
import { completed } from './deliveries.ts';

const [kind, url = '', prefix = '', type = '', stuckMs = '30000'] = process.argv.slice(2);
const queue = openQueue({
  kind: kind === 'postgres' ? 'postgres' : 'redis',
  url,
  prefix,
  stuckMs: Number(stuckMs),
  onError: (error) => process.send?.(`error ${error.message}`),
});
const consumer = queue.jobs.consume(type, {
  instance: 'echo',
  slots: 5,
  handle: ({ data }) => queue.events.publish(type, [completed(Number(data.value))]),
});
process.on('message', (message) => {
  if (message === 'stop') void queue.close().then(() => process.exit(0));
  else process.send?.(`asked ${Date.now() - consumer.lastAskedAt()}`);
});
await consumer.ready;
process.send?.('ready');
