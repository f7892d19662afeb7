/**
 * A worker type made with worker-kit, one process of it a start (`api` or `runner`): with the fault that BREAK names its
 * functions break a rule, as far as functions can.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BlobRef } from '@connecta/contracts';
import { runProcess } from '@connecta/runtime';
import {
  FunctionError,
  defineFunction,
  readRunnerConfig,
  readWorkerApiConfig,
  startRunner,
  startWorkerApi,
  type FunctionContext,
  type FunctionResult,
  type WorkerType,
} from '@connecta/worker-kit';

const broken = (name: string): boolean => process.env['BREAK'] === name;
const settingsSchema = { type: 'object', additionalProperties: false, properties: { n: { type: 'number' } } };
const fn = (name: string, run: (context: FunctionContext) => Promise<FunctionResult>) =>
  defineFunction({ name, version: '1.0.0', settingsSchema, inputSchema: {}, outputSchema: {}, run });

async function bytesOf({ blobs }: FunctionContext, ref: BlobRef): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of await blobs.open(ref)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Counts to five, 700 ms each, and leaves how far it is after each. */
async function count(context: FunctionContext): Promise<FunctionResult> {
  let done = context.context === undefined ? 0 : Number(await bytesOf(context, context.context));
  while (done < 5) {
    await sleep(700, undefined, { signal: context.signal });
    done++;
    const checkpoint = await context.blobs.create({ mediaType: 'text/plain' }, Buffer.from(String(done)));
    await context.progress(done / 5, checkpoint);
  }
  return { value: done };
}

const functions = [
  fn('kit.echo', ({ input }) => Promise.resolve({ value: input })),
  fn('kit.slow', async ({ input, signal }) => {
    await sleep(4_500, undefined, broken('ignores-its-signal') ? {} : { signal });
    return { value: input };
  }),
  fn('kit.size', async (context) => {
    if (broken('takes-half-a-blob')) {
      for await (const chunk of await context.blobs.open(context.input as BlobRef)) return { value: chunk.length };
    }
    return { value: (await bytesOf(context, context.input as BlobRef)).length };
  }),
  fn('kit.big', () => Promise.resolve({ value: 'x'.repeat(9_000) })),
  fn('kit.fail', () => Promise.reject(new FunctionError('business', 'refused', 'as it must'))),
  fn('kit.count', count),
];
const workerType: WorkerType = {
  type: 'conformance',
  version: '1.0.0',
  owner: { team: 'conformance', contact: 'conformance@example.test' },
  functions,
  samples: functions.map(({ name }) => ({ name: name.replace('kit.', ''), function: name, settings: {} })),
};

if (process.argv[2] === 'api') {
  await runProcess({
    name: 'conformance-api',
    config: () => readWorkerApiConfig(process.env),
    main: async (scope) => {
      await startWorkerApi({ ...scope, workerType });
    },
  });
} else {
  await runProcess({
    name: 'conformance-runner',
    config: () => readRunnerConfig(process.env),
    main: (scope) => {
      startRunner({ ...scope, workerType, onDrained: () => scope.stop('drained') });
      return Promise.resolve();
    },
  });
}
