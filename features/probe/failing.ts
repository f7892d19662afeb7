import { setTimeout as sleep } from 'node:timers/promises';
import { defineFunction } from '@connecta/worker-kit';

/** Says that it may take 400 ms and is not to be tried again; takes longer. */
export const impatient = defineFunction<Record<string, never>>({
  name: 'probe.impatient',
  version: '1.0.0',
  settingsSchema: { type: 'object', additionalProperties: false },
  inputSchema: {},
  outputSchema: {},
  timers: { completeMs: 400 },
  retry: { max: 0 },
  async run({ signal }) {
    await sleep(60_000, undefined, { signal });
    return { value: null };
  },
});

/** Promises a number and returns its input. */
export const liar = defineFunction<Record<string, never>>({
  name: 'probe.liar',
  version: '3.2.1',
  settingsSchema: { type: 'object', additionalProperties: false },
  inputSchema: {},
  outputSchema: { type: 'number' },
  run: ({ input }) => Promise.resolve({ value: input }),
});

/** Logs a line every 100 ms, its password among them. */
export const talker = defineFunction<{ lines: number; password: string }>({
  name: 'probe.talker',
  version: '1.0.0',
  settingsSchema: {
    type: 'object',
    required: ['lines', 'password'],
    additionalProperties: false,
    properties: { lines: { type: 'integer' }, password: { type: 'string', writeOnly: true } },
  },
  inputSchema: {},
  outputSchema: { type: 'number' },
  async run({ settings, log, signal }) {
    for (let i = 1; i <= settings.lines; i++) {
      log.info({ i, password: settings.password }, `line ${i}, logged in with ${settings.password}`);
      await sleep(100, undefined, { signal });
    }
    return { value: settings.lines };
  },
});
