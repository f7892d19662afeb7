import { Writable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { createLogger } from './logger.ts';

function linesOf(write: (log: ReturnType<typeof createLogger>) => void): string {
  let text = '';
  const destination = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  write(createLogger({ name: 'test', destination }));
  return text;
}

test('what a refused command of Redis carried, a password or a value, is not written', () => {
  // As ioredis has it: the command stands on the error.
  const refused = (): Error =>
    Object.assign(new Error('WRONGPASS'), { command: { name: 'auth', args: ['connecta-generic', 'correct-horse'] } });
  const text = linesOf((log) => {
    log.warn({ err: refused() }, 'the queue had a fault');
    log.warn({ err: new Error('not sent', { cause: refused() }) }, 'the queue had a fault');
  });
  expect(text).toContain('WRONGPASS');
  expect(text).toContain('"name":"auth"');
  expect(text).not.toContain('correct-horse');
});
