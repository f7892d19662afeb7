import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonValue } from '@connecta/contracts';
import { FunctionError, defineFunction, type WorkerType } from '@connecta/worker-kit';
import { impatient, liar, talker } from './failing.ts';
import { note, takeEffect } from './ledger.ts';
import { block, flaky, relent } from './unsteady.ts';

interface ProbeSettings {
  ms: number;
  add: number;
  /** Leaves a blob behind as its context. */
  keep?: boolean;
}

/** Adds after a while, and writes into the ledger what really ran. */
const work = defineFunction<ProbeSettings>({
  name: 'probe.work',
  version: '1.0.0',
  settingsSchema: {
    type: 'object',
    required: ['ms', 'add'],
    additionalProperties: false,
    properties: { ms: { type: 'integer', minimum: 0 }, add: { type: 'integer' }, keep: { type: 'boolean' } },
  },
  inputSchema: { type: 'number' },
  outputSchema: { type: 'number' },
  async run({ settings, input, job, signal, blobs }) {
    await note('begin', job);
    try {
      await sleep(settings.ms, undefined, { signal });
      const value = (input as number) + settings.add;
      await takeEffect(job, value);
      const context = settings.keep
        ? await blobs.create({ mediaType: 'text/plain' }, Buffer.from(`${value}`))
        : undefined;
      await note('done', job);
      return context ? { value, context } : { value };
    } catch (error) {
      // Told to stop, or, when others have its job by now, refused the blob: then it has no result.
      await note('left', job);
      throw error;
    }
  },
});

interface Tooth {
  /** The keys of its neighbours, as far as they are in the list. */
  neighbours: string[];
  /** Teeth that it knows of. */
  finds?: JsonValue[];
}

/** Looks at a tooth: says which neighbours it sees, and returns the further teeth that it knows of. */
const tooth = defineFunction<Record<string, never>>({
  name: 'probe.tooth',
  version: '1.0.0',
  settingsSchema: { type: 'object', additionalProperties: false },
  inputSchema: { type: 'object', required: ['neighbours'] },
  outputSchema: { type: 'array', items: { type: 'string' } },
  run({ input }) {
    const { neighbours, finds } = input as unknown as Tooth;
    return Promise.resolve({ value: neighbours, ...(finds ? { newItems: finds } : {}) });
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
  async run({ job }) {
    await note('begin', job);
    await sleep(300);
    process.kill(process.pid, 'SIGKILL');
    throw new FunctionError('permanent', 'unreachable', 'a killed process says nothing');
  },
});

export const probe: WorkerType = {
  type: 'probe',
  version: '1.0.0',
  owner: { team: 'features', contact: 'features@example.test' },
  functions: [work, tooth, any, refuse, poison, impatient, liar, talker, block, flaky, relent],
  samples: [
    { name: 'quick', function: 'probe.work', settings: { ms: 5, add: 1 } },
    { name: 'slow', function: 'probe.work', settings: { ms: 60, add: 1 } },
    { name: 'long', function: 'probe.work', settings: { ms: 4000, add: 1 } },
    { name: 'tooth', function: 'probe.tooth', settings: {} },
    { name: 'any', function: 'probe.any', settings: {} },
    { name: 'refuse', function: 'probe.refuse', settings: {} },
    { name: 'stuck', function: 'probe.work', settings: { ms: 600_000, add: 1 } },
    { name: 'steady', function: 'probe.work', settings: { ms: 250, add: 1 } },
    { name: 'keeping', function: 'probe.work', settings: { ms: 250, add: 1, keep: true } },
    { name: 'block', function: 'probe.block', settings: { ms: Number(process.env['PROBE_BLOCK_MS'] ?? 15_000) } },
    { name: 'flaky', function: 'probe.flaky', settings: { fails: 1 } },
    { name: 'relent', function: 'probe.relent', settings: { ms: 0 } },
    { name: 'relent-slowly', function: 'probe.relent', settings: { ms: 1500 } },
    { name: 'poison', function: 'probe.poison', settings: {} },
    { name: 'impatient', function: 'probe.impatient', settings: {} },
    { name: 'liar', function: 'probe.liar', settings: {} },
    { name: 'talker', function: 'probe.talker', settings: { lines: 20, password: 'correct-horse' } },
  ],
};
