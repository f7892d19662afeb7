import { setTimeout as sleep } from 'node:timers/promises';
import { FunctionError, defineFunction } from '@connecta/worker-kit';
import { note, takeEffect } from './ledger.ts';

/** Adds 1; in its first attempt it keeps its process from everything else for so long that others take over. */
export const block = defineFunction<{ ms: number }>({
  name: 'probe.block',
  version: '1.0.0',
  settingsSchema: {
    type: 'object',
    required: ['ms'],
    additionalProperties: false,
    properties: { ms: { type: 'integer', minimum: 0 } },
  },
  inputSchema: { type: 'number' },
  outputSchema: { type: 'number' },
  async run({ settings, input, job }) {
    await note('begin', job);
    if (job.attempt === 1) {
      // Its start is told by then.
      await sleep(300);
      for (const end = Date.now() + settings.ms; Date.now() < end;);
    }
    const value = (input as number) + 1;
    await takeEffect(job, value);
    await note('done', job);
    return { value };
  },
});

/** Fails in its first attempts in a way that is tried again. */
export const flaky = defineFunction<{ fails: number }>({
  name: 'probe.flaky',
  version: '1.0.0',
  settingsSchema: {
    type: 'object',
    required: ['fails'],
    additionalProperties: false,
    properties: { fails: { type: 'integer', minimum: 0 } },
  },
  inputSchema: {},
  outputSchema: { type: 'number' },
  retry: { max: 3, delayMs: 50, backoff: 'fixed' },
  run({ settings, job }) {
    if (job.attempt <= settings.fails) throw new FunctionError('retryable', 'flaky', 'not yet');
    return Promise.resolve({ value: 1 });
  },
});

/** Refuses its first attempt for good; after a retry of the order it takes its time and completes. */
export const relent = defineFunction<{ ms: number }>({
  name: 'probe.relent',
  version: '1.0.0',
  settingsSchema: {
    type: 'object',
    required: ['ms'],
    additionalProperties: false,
    properties: { ms: { type: 'integer', minimum: 0 } },
  },
  inputSchema: {},
  outputSchema: { type: 'number' },
  async run({ settings, job, signal }) {
    if (job.attempt === 1) throw new FunctionError('business', 'refused', 'not at the first attempt');
    await sleep(settings.ms, undefined, { signal });
    return { value: 1 };
  },
});
