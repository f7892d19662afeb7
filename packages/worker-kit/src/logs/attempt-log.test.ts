import { describe, expect, test } from '@jest/globals';
import { FunctionError, defineFunction, type FunctionContext, type FunctionLog } from '../index.ts';
import { FunctionTrial, type TrialFailure } from '../testing/function-trial.ts';

const trial = new FunctionTrial();
const SECRET = 'p4ss/"wörd"';
const logging = (run: (log: FunctionLog, settings: { password: string; keys: number[] }) => void) =>
  defineFunction<{ password: string; keys: number[] }>({
    ...{ name: 'test.log', version: '2.1.0', inputSchema: {}, outputSchema: {} },
    settingsSchema: {
      type: 'object',
      properties: {
        user: { type: 'string' },
        password: { type: 'string', writeOnly: true },
        keys: { type: 'array', items: { type: 'number' }, writeOnly: true },
      },
    },
    run: async ({ log, settings }: FunctionContext<{ password: string; keys: number[] }>) => {
      run(log, settings);
      return { value: 1 };
    },
  });
const settings = { user: 'ada', password: SECRET, keys: [4711] };
const logsOf = async (run: Parameters<typeof logging>[0]) =>
  (await trial.run(logging(run), { settings, input: 1 })).logs;

describe('what a function logs', () => {
  test('is kept line by line, with its level and fields', async () => {
    const logs = await logsOf((log) => {
      log.debug({}, 'looking');
      log.warn({ n: 1, deep: { list: [true, null] } }, 'odd');
    });
    expect(logs).toEqual([
      { at: expect.any(String), level: 'debug', message: 'looking' },
      { at: expect.any(String), level: 'warn', message: 'odd', fields: { n: 1, deep: { list: [true, null] } } },
    ]);
  });

  test('never holds a secret of the settings, in whatever form', async () => {
    const logs = await logsOf((log, { password, keys }) => {
      log.info({ password, inside: { [password]: [password, keys] } }, `login with ${password}`);
      log.error({ err: new Error(`refused ${password}`, { cause: password }) }, JSON.stringify({ password }));
      log.info({ url: `http://h/?p=${encodeURIComponent(password)}` }, Buffer.from(password).toString('base64'));
    });
    const told = JSON.stringify(logs);
    for (const part of ['p4ss', 'wörd', 'cDRzcy8id8O2cmQi', '4711']) expect(told).not.toContain(part);
    expect(logs[0]).toMatchObject({ message: 'login with [redacted]', fields: { password: '[redacted]' } });
    expect(logs[1]?.fields).toMatchObject({ err: { name: 'Error', message: 'refused [redacted]' } });
  });

  test('is told of values that are no JSON as well as can be', async () => {
    const circle: { [name: string]: unknown } = {};
    circle['self'] = circle;
    const [line] = await logsOf((log) =>
      log.info(
        { circle, big: 12n, at: new Date(0), none: undefined, nan: NaN, bytes: Buffer.alloc(3), f: () => 1 },
        'a\0',
      ),
    );
    expect(line).toMatchObject({
      message: 'a\ufffd',
      fields: { big: '12', at: '1970-01-01T00:00:00.000Z', nan: 'NaN', bytes: '3 bytes' },
    });
    expect(Object.keys(line?.fields ?? {})).not.toContain('f');
  });

  test('that throws what nobody foresaw is kept with the stack, and neither tells the secret', async () => {
    const failing = logging((_log, { password }) => {
      throw new TypeError(`no ${password}`);
    });
    const failure = (await trial.run(failing, { settings, input: 1 }).catch((error: unknown) => error)) as TrialFailure;
    expect(failure.message).toBe('no [redacted]');
    expect(failure.logs).toMatchObject([
      {
        level: 'error',
        message: 'the attempt failed',
        fields: { err: { name: 'TypeError', message: 'no [redacted]' } },
      },
    ]);
  });

  test('that refuses as it should logs nothing by itself', async () => {
    const refusing = logging(() => {
      throw new FunctionError('business', 'refused', 'no');
    });
    const failure = (await trial
      .run(refusing, { settings, input: 1 })
      .catch((error: unknown) => error)) as TrialFailure;
    expect(failure.logs).toEqual([]);
  });
});
