import { randomBytes } from 'node:crypto';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { blobRefsIn, isBlobRef, isFileValue, type JsonValue } from '@connecta/contracts';
import { FunctionError, type FunctionContext, type FunctionResult, type JobFolders } from '@connecta/worker-kit';
import { FileTooLarge, NotARegularFile, copyInto, openRegularFile, type OpenFile } from '../shares/regular-file.ts';
import type { Shares } from '../shares/shares.ts';
import type { LegacyProgram } from './legacy-program.ts';
import { settleLegacySettings, type LegacySettings, type SettledLegacySettings } from './legacy-settings.ts';

/** What legacy functions of one process share. */
export interface LegacyEnvironment {
  readonly folders: Pick<JobFolders, 'use'>;
  readonly shares: Shares;
}

/** How often the time that has passed is told as progress, so that the engine does not take a long run for a dead one. */
const PROGRESS_MS = 30_000;

/** Runs a job through a legacy program: input → prepare → launch → wait → collect → result, then cleans up. */
export async function runLegacy<Settings extends LegacySettings>(options: {
  program: LegacyProgram<Settings>;
  context: FunctionContext<Settings>;
  environment: LegacyEnvironment;
}): Promise<FunctionResult> {
  const { program, context, environment } = options;
  const settings = settleLegacySettings(context.settings);
  const id = `${context.job.jobId}-${context.job.attempt}-${randomBytes(3).toString('hex')}`;
  return environment.folders.use(async (folder) => {
    const input = join(folder, settings.inputName);
    await bringInput({ context, environment, settings, target: input });
    const output = await withTimeLimit(context, settings.timeLimitMs, async (signal) => {
      const { params, log } = context;
      const run = await program.prepare({ id, settings: context.settings, params, folder, input, signal, log });
      try {
        await run.launch();
        await run.wait();
        return await run.collect();
      } finally {
        await run.end();
      }
    });
    return { value: await keepOutput({ context, environment, settings, output, id }) };
  });
}

/** Runs work under the job's signal and a time limit; tells as progress how much of the limit has passed. */
async function withTimeLimit<T>(
  context: FunctionContext<unknown>,
  timeLimitMs: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const begin = performance.now();
  const text = `The program was not done within ${timeLimitMs} ms`;
  const over = setTimeout(() => limit.abort(new FunctionError('retryable', 'timed_out', text)), timeLimitMs);
  const tell = setInterval(() => {
    const passed = Math.min(0.99, (performance.now() - begin) / timeLimitMs);
    context.progress(passed).catch((err: unknown) => context.log.warn({ err }, 'progress could not be told'));
  }, PROGRESS_MS);
  try {
    return await work(AbortSignal.any([context.signal, limit.signal]));
  } finally {
    clearTimeout(over);
    clearInterval(tell);
  }
}

async function bringInput(options: {
  context: FunctionContext<unknown>;
  environment: LegacyEnvironment;
  settings: SettledLegacySettings;
  target: string;
}): Promise<void> {
  const { context, environment, settings, target } = options;
  const { input, signal } = context;
  const bounds = { maxBytes: settings.maxInputBytes, signal };
  try {
    if (isBlobRef(input)) {
      if (input.size > settings.maxInputBytes) throw new FileTooLarge(settings.maxInputBytes);
      await copyInto(target, await context.blobs.open(input), bounds);
    } else if (isFileValue(input)) {
      await copyOpen(target, await environment.shares.open(input.file), bounds);
    } else {
      await copyInto(target, Readable.from([plainJson(input)]), bounds);
    }
  } catch (cause) {
    if (!(cause instanceof FileTooLarge)) throw cause;
    const text = `The input has more than ${cause.maxBytes} bytes`;
    throw new FunctionError('permanent', 'input_too_large', text, { cause });
  }
}

function plainJson(input: JsonValue): Buffer {
  if (blobRefsIn(input).length > 0) {
    const text = 'A legacy program takes one blob, one file or plain JSON, not blobs inside of JSON';
    throw new FunctionError('permanent', 'invalid_input', text);
  }
  return Buffer.from(JSON.stringify(input));
}

async function copyOpen(
  target: string,
  { handle }: OpenFile,
  bounds: { maxBytes: number; signal: AbortSignal },
): Promise<void> {
  try {
    await copyInto(target, handle.createReadStream({ autoClose: false }), bounds);
  } finally {
    await handle.close();
  }
}

async function keepOutput(options: {
  context: FunctionContext<unknown>;
  environment: LegacyEnvironment;
  settings: SettledLegacySettings;
  output: string;
  id: string;
}): Promise<JsonValue> {
  const { context, environment, settings, output, id } = options;
  const { handle } = await openOutput(output, settings.maxOutputBytes);
  try {
    const bytes = handle.createReadStream({ autoClose: false });
    const { resultFile, outputMediaType: mediaType } = settings;
    if (!resultFile) return await context.blobs.create({ mediaType, fileName: basename(output) }, bytes);
    const name = (resultFile.name ?? '{id}').replace('{id}', id);
    const file = { share: resultFile.share, path: resultFile.folder ? `${resultFile.folder}/${name}` : name };
    await environment.shares.put(file, bytes, { maxBytes: settings.maxOutputBytes, signal: context.signal });
    return { file };
  } finally {
    await handle.close();
  }
}

/** Opens what a program wrote; it is somebody else's, so it is looked at with care. */
async function openOutput(path: string, maxBytes: number): Promise<OpenFile> {
  const noOutput = (text: string, cause?: unknown): FunctionError =>
    new FunctionError('permanent', 'no_output', text, { cause });
  let file: OpenFile;
  try {
    file = await openRegularFile(path);
  } catch (cause) {
    if (cause instanceof NotARegularFile) throw noOutput('What the program wrote is not a plain file', cause);
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    throw noOutput(`The program wrote no ${basename(path)}`, cause);
  }
  if (file.sizeBytes > 0 && file.sizeBytes <= maxBytes) return file;
  await file.handle.close();
  if (file.sizeBytes === 0) throw noOutput('The program wrote an empty file');
  const text = `The output has ${file.sizeBytes} bytes; at most ${maxBytes} are allowed`;
  throw new FunctionError('permanent', 'output_too_large', text);
}
