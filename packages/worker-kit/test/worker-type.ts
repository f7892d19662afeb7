import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BlobRef } from '@connecta/contracts';
import {
  defineFunction,
  FunctionError,
  type FunctionContext,
  type FunctionResult,
  type WorkerType,
} from '../src/index.ts';

/** The type that the tests register. */
export const WORKER_TYPE = 'kit-test';

const fn = (name: string, run: (context: FunctionContext) => Promise<FunctionResult>) =>
  defineFunction({ name, version: '1.0.0', settingsSchema: {}, inputSchema: {}, outputSchema: {}, run });
const slices = (bytes: Buffer): Buffer[] =>
  Array.from({ length: Math.ceil(bytes.length / 65_536) }, (_, i) => bytes.subarray(i * 65_536, (i + 1) * 65_536));
/** Jobs whose signal was aborted while `test.hang` ran. */
export const aborted: string[] = [];
const functions = [
  fn('test.echo', async ({ input }) => ({ value: input })),
  fn('test.reverse', async ({ blobs, input }) => {
    const chunks: Buffer[] = [];
    for await (const chunk of await blobs.open(input as BlobRef)) chunks.push(chunk as Buffer);
    const reversed = Buffer.concat(chunks).reverse();
    return {
      value: await blobs.create({ mediaType: 'text/plain', fileName: 'ä b.txt' }, Readable.from(slices(reversed))),
    };
  }),
  fn('test.fail', () => Promise.reject(new FunctionError('business', 'refused', 'no'))),
  fn('test.parent', async ({ placeOrder, input }) => {
    const child = await placeOrder({ tasks: ['kit-test/test-echo'], input });
    return { value: [child.state, child.result, child.error?.code ?? null] };
  }),
  defineFunction({
    name: 'test.log',
    version: '1.0.0',
    settingsSchema: { type: 'object', properties: { password: { type: 'string', writeOnly: true } } },
    inputSchema: {},
    outputSchema: {},
    run: async ({ input, log, settings }) => {
      const { password } = settings as { password: string };
      for (let i = 1; i <= Number(input); i++) log.info({ i, password }, `line ${i} with ${password}`);
      return { value: null };
    },
  }),
  fn('test.hang', async ({ signal, job, progress }) => {
    await progress(0.25);
    await sleep(60_000, undefined, { signal }).catch(() => aborted.push(job.jobId));
    throw new Error('ended');
  }),
];
/** A worker type with a function for everything that a runner has to cope with, and a profile for each. */
export const workerType: WorkerType = {
  type: WORKER_TYPE,
  version: '1.0.0',
  owner: { team: 'test', contact: 'test@example.org' },
  functions,
  samples: functions.map(({ name }) => ({
    ...{ name: name.replace('.', '-'), function: name },
    settings: name === 'test.log' ? { password: 'hunter2' } : {},
  })),
};
