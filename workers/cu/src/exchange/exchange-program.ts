import { createReadStream } from 'node:fs';
import { lstat, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ErrorKind } from '@connecta/contracts';
import { FunctionError } from '@connecta/worker-kit';
import type { LegacyJob, LegacyProgram, LegacyRun } from '../programs/legacy-program.ts';
import type { LegacySettings } from '../programs/legacy-settings.ts';
import { FileTooLarge, NotARegularFile, copyInto, openRegularFile, syncFolder } from '../shares/regular-file.ts';
import type { Shares } from '../shares/shares.ts';
import { DEFAULT_ANSWER_NAME, DEFAULT_DROP_NAME, exchangeNames, jobOfName } from './exchange-names.ts';
import type { ExchangeNames, NameTemplates } from './exchange-names.ts';
import { StableFile } from './stable-file.ts';

/** Settings of `cu.exchange`. */
export interface ExchangeSettings extends LegacySettings, NameTemplates {
  share: string;
  /** The folder that the program watches, below the share's root. */
  dropFolder?: string;
  /** The folder in which it answers. */
  answerFolder?: string;
  /** What an error file means for the job. */
  errorKind?: ErrorKind;
  /** Without a done marker: how long an answer must not have changed. */
  stableMs?: number;
  pollMs?: number;
}

const ERROR_TEXT_BYTES = 3_500;
/** What nobody fetched for so long is swept when the folder is used again. */
const STALE_MS = 7 * 86_400_000;

/** Programs that run by themselves, watch a folder and leave their answer in one. */
export class ExchangeProgram implements LegacyProgram<ExchangeSettings> {
  readonly #shares: Shares;

  constructor(shares: Shares) {
    this.#shares = shares;
  }

  async prepare(job: LegacyJob<ExchangeSettings>): Promise<LegacyRun> {
    const { share, dropFolder = '', answerFolder = '' } = job.settings;
    const [drops, answers] = await Promise.all([
      this.#shares.folder(share, dropFolder, 'exchange'),
      this.#shares.folder(share, answerFolder, 'exchange'),
    ]);
    return new ExchangeRun(job, { drops, answers });
  }
}

/** One exchange. Every file of it is named after this very run, so an answer to an earlier one is never taken. */
class ExchangeRun implements LegacyRun {
  readonly #job: LegacyJob<ExchangeSettings>;
  readonly #drops: string;
  readonly #answers: string;
  readonly #names: ExchangeNames;

  constructor(job: LegacyJob<ExchangeSettings>, folders: { drops: string; answers: string }) {
    this.#job = job;
    this.#drops = folders.drops;
    this.#answers = folders.answers;
    this.#names = exchangeNames(job.settings, job.id);
  }

  async launch(): Promise<void> {
    await this.#sweep();
    const { input, signal } = this.#job;
    const part = join(this.#drops, this.#names.part);
    await copyInto(part, createReadStream(input), { maxBytes: Infinity, signal, durable: true });
    // The program must never see half a file: whole and durable first, then in its place under its name at once.
    await rename(part, join(this.#drops, this.#names.drop));
    await syncFolder(this.#drops);
  }

  async wait(): Promise<void> {
    const { signal, settings } = this.#job;
    const stableMs = settings.stableMs ?? 1_000;
    const answer = new StableFile(join(this.#answers, this.#names.answer), stableMs);
    const failure = this.#names.error && new StableFile(join(this.#answers, this.#names.error), stableMs);
    for (;;) {
      signal.throwIfAborted();
      if (failure && (await failure.isStable(performance.now()))) throw await this.#programError();
      if (await this.#isAnswered(answer)) return;
      try {
        await sleep(settings.pollMs ?? 250, undefined, { signal });
      } catch {
        throw overTime(signal.reason, answer);
      }
    }
  }

  async #isAnswered(answer: StableFile): Promise<boolean> {
    const { done } = this.#names;
    if (done === undefined) return answer.isStable(performance.now());
    return (await lstat(join(this.#answers, done)).catch(() => undefined)) !== undefined;
  }

  async collect(): Promise<string> {
    const { folder, settings, signal } = this.#job;
    const target = join(folder, 'answer');
    const maxBytes = settings.maxOutputBytes ?? Infinity;
    try {
      const { handle } = await openRegularFile(join(this.#answers, this.#names.answer));
      try {
        await copyInto(target, handle.createReadStream({ autoClose: false }), { maxBytes, signal });
      } finally {
        await handle.close();
      }
      return target;
    } catch (cause) {
      throw answerError(cause);
    }
  }

  async end(): Promise<void> {
    const { drop, part, answer, done, error } = this.#names;
    const files = [part, drop].map((name) => join(this.#drops, name));
    for (const name of [answer, done, error]) if (name !== undefined) files.push(join(this.#answers, name));
    for (const file of files) {
      await rm(file, { force: true }).catch((err: unknown) => {
        this.#job.log.warn({ err, file }, 'a file of an exchange could not be removed');
      });
    }
  }

  async #programError(): Promise<FunctionError> {
    const { errorKind = 'permanent' } = this.#job.settings;
    const text = await this.#readError().catch((cause: unknown) => String(cause));
    return new FunctionError(errorKind, 'program_error', text || 'The program left an empty error file');
  }

  async #readError(): Promise<string> {
    const { handle } = await openRegularFile(join(this.#answers, this.#names.error ?? ''));
    const bytes = Buffer.alloc(ERROR_TEXT_BYTES);
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0).finally(() => handle.close());
    const text = bytes.subarray(0, bytesRead).toString('utf8');
    return text.replace(/(?!\n)\p{Cc}/gu, ' ').trim();
  }

  /** Removes what earlier attempts of this job left, or was answered too late for anybody. */
  async #sweep(): Promise<void> {
    const { dropName = DEFAULT_DROP_NAME, answerName = DEFAULT_ANSWER_NAME, doneName, errorName } = this.#job.settings;
    await this.#sweepFolder(this.#drops, [dropName, `.${dropName}.part`]);
    const answers = [answerName, doneName, errorName].filter((name) => name !== undefined);
    await this.#sweepFolder(this.#answers, answers);
  }

  async #sweepFolder(folder: string, templates: readonly string[]): Promise<void> {
    for (const name of await readdir(folder)) {
      const job = templates.map((template) => jobOfName(template, name)).find((found) => found !== undefined);
      if (job === undefined) continue;
      const path = join(folder, name);
      const found = await lstat(path).catch(() => undefined);
      if (!found?.isFile()) continue;
      const isOurs = this.#job.id.startsWith(`${job}-`);
      if (isOurs || Date.now() - found.mtimeMs > STALE_MS) await rm(path, { force: true });
    }
  }
}

/** What to say when the time was over: an answer that stayed empty is another fault than none. */
function overTime(reason: unknown, answer: StableFile): unknown {
  if (!(reason instanceof FunctionError) || reason.code !== 'timed_out' || answer.state === 'missing') return reason;
  if (answer.state === 'empty') {
    return new FunctionError('retryable', 'no_output', `The answer stayed empty. ${reason.message}`, { cause: reason });
  }
  return new FunctionError('retryable', 'timed_out', `The answer kept changing. ${reason.message}`, { cause: reason });
}

function answerError(cause: unknown): unknown {
  if (cause instanceof FileTooLarge) {
    const text = `The answer has more than ${cause.maxBytes} bytes`;
    return new FunctionError('permanent', 'output_too_large', text, { cause });
  }
  if (cause instanceof NotARegularFile) {
    return new FunctionError('permanent', 'path_refused', 'The answer is not a plain file', { cause });
  }
  if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
    return new FunctionError('permanent', 'no_output', 'The program said it was done but left no answer', { cause });
  }
  return cause;
}
