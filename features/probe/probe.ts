import { appendFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { FunctionError, defineFunction, type WorkerType } from '@connecta/worker-kit';
import { impatient, liar, talker } from './failing.ts';

interface ProbeSettings {
  ms: number;
  add: number;
}

/** Adds after a while, and writes a line into the ledger when it begins and when it is done: what really ran. */
const work = defineFunction<ProbeSettings>({
  name: 'probe.work',
  version: '1.0.0',
  settingsSchema: {
    type: 'object',
    required: ['ms', 'add'],
    additionalProperties: false,
    properties: { ms: { type: 'integer', minimum: 0 }, add: { type: 'integer' } },
  },
  inputSchema: { type: 'number' },
  outputSchema: { type: 'number' },
  async run({ settings, input, job, signal }) {
    const ledger = process.env['PROBE_LEDGER'] ?? '/dev/null';
    await appendFile(ledger, `begin ${job.jobId} ${job.attempt}\n`);
    await sleep(settings.ms, undefined, { signal });
    await appendFile(ledger, `done ${job.jobId} ${job.attempt}\n`);
    return { value: (input as number) + settings.add };
  },
});

/** Takes whatever comes and says 1. */
const any = defineFunction<Record<string, never>>({
  name: 'probe.any',
  version: '1.0.0',
  settingsSchema: { type: 'object', additionalProperties: false },
  inputSchema: {},
  outputSchema: { type: 'number' },
  run: () => Promise.resolve({ value: 1 }),
});

/** Refuses whatever comes. */
const refuse = defineFunction<Record<string, never>>({
  name: 'probe.refuse',
  version: '1.0.0',
  settingsSchema: { type: 'object', additionalProperties: false },
  inputSchema: {},
  outputSchema: {},
  run: () => Promise.reject(new FunctionError('business', 'refused', 'this function refuses everything')),
});

/** Ends its runner while it works, every time. */
const poison = defineFunction<Record<string, never>>({
  name: 'probe.poison',
  version: '1.0.0',
  settingsSchema: { type: 'object', additionalProperties: false },
  inputSchema: {},
  outputSchema: {},
  async run() {
    await sleep(300);
    process.kill(process.pid, 'SIGKILL');
    throw new FunctionError('permanent', 'unreachable', 'a killed process says nothing');
  },
});

export const probe: WorkerType = {
  type: 'probe',
  version: '1.0.0',
  owner: { team: 'features', contact: 'features@example.test' },
  functions: [work, any, refuse, poison, impatient, liar, talker],
  samples: [
    { name: 'quick', function: 'probe.work', settings: { ms: 5, add: 1 } },
    { name: 'slow', function: 'probe.work', settings: { ms: 60, add: 1 } },
    { name: 'long', function: 'probe.work', settings: { ms: 4000, add: 1 } },
    { name: 'any', function: 'probe.any', settings: {} },
    { name: 'refuse', function: 'probe.refuse', settings: {} },
    { name: 'stuck', function: 'probe.work', settings: { ms: 600_000, add: 1 } },
    { name: 'steady', function: 'probe.work', settings: { ms: 250, add: 1 } },
    { name: 'poison', function: 'probe.poison', settings: {} },
    { name: 'impatient', function: 'probe.impatient', settings: {} },
    { name: 'liar', function: 'probe.liar', settings: {} },
    { name: 'talker', function: 'probe.talker', settings: { lines: 20, password: 'correct-horse' } },
  ],
};
