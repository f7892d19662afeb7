import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { FunctionError } from '@connecta/worker-kit';
import type { LegacyJob, LegacyProgram, LegacyRun } from '../programs/legacy-program.ts';
import type { LegacySettings } from '../programs/legacy-settings.ts';
import { fillArguments } from './arguments.ts';
import { OutputTail } from './output-tail.ts';
import { JOB_MARK, endProcessTree } from './process-tree.ts';

/** Settings of `cu.exec`. */
export interface ExecSettings extends LegacySettings {
  /** The file name of a program that the operator allows. */
  command: string;
  args?: string[];
  /** The file in the job's folder that the program writes. */
  outputName?: string;
  env?: { [name: string]: string };
  acceptExitCodes?: number[];
  /** Exit codes after which another attempt may help. */
  retryExitCodes?: number[];
  /** Between SIGTERM and SIGKILL. */
  graceMs?: number;
}

const TAIL_BYTES = 1_500;
/** What a program said just before its end may still be in the pipe. */
const LAST_WORDS_MS = 200;
/** How often an output that grows is compared with its bound. */
const WATCH_MS = 1_000;

/** Programs that are started for each job, read one file and write another. */
export class ExecProgram implements LegacyProgram<ExecSettings> {
  readonly #commands: ReadonlyMap<string, string>;
  readonly #path: string;

  /** @param options.path the PATH that programs see. */
  constructor(options: { commands: ReadonlyMap<string, string>; path: string }) {
    this.#commands = options.commands;
    this.#path = options.path;
  }

  async prepare(job: LegacyJob<ExecSettings>): Promise<LegacyRun> {
    const { settings, folder, input } = job;
    const program = this.#commands.get(settings.command);
    if (program === undefined) {
      throw new FunctionError('permanent', 'unknown_command', `The operator allows no "${settings.command}"`);
    }
    const output = join(folder, settings.outputName ?? 'output');
    const { id, params } = job;
    const args = fillArguments(settings.args ?? ['{input}', '{output}'], { input, output, id, params });
    const base = { PATH: this.#path, LANG: 'C.UTF-8', HOME: folder, TMPDIR: folder };
    return new ExecRun({ job, program, args, output, env: { ...base, ...settings.env, [JOB_MARK]: folder } });
  }
}

/** One started program. States: prepared → running → ended. */
class ExecRun implements LegacyRun {
  readonly #job: LegacyJob<ExecSettings>;
  readonly #program: string;
  readonly #args: string[];
  readonly #output: string;
  readonly #env: { [name: string]: string };
  #child: ChildProcessByStdio<null, Readable, Readable> | undefined;
  #exit: Promise<[code: number | null, signal: NodeJS.Signals | null]> | undefined;
  #ended: Promise<void> | undefined;
  #tails: { name: string; tail: OutputTail }[] = [];

  constructor(options: {
    job: LegacyJob<ExecSettings>;
    program: string;
    args: string[];
    output: string;
    env: { [name: string]: string };
  }) {
    this.#job = options.job;
    this.#program = options.program;
    this.#args = options.args;
    this.#output = options.output;
    this.#env = options.env;
  }

  async launch(): Promise<void> {
    const { folder, signal } = this.#job;
    signal.throwIfAborted();
    // Detached: a process group of its own, so that all of it can be ended without a trace of us.
    const child = spawn(this.#program, this.#args, {
      cwd: folder,
      env: this.#env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#tails = [
      { name: 'stderr', tail: new OutputTail(child.stderr, TAIL_BYTES) },
      { name: 'stdout', tail: new OutputTail(child.stdout, TAIL_BYTES) },
    ];
    try {
      await once(child, 'spawn');
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      const kind = code === 'EAGAIN' || code === 'ENOMEM' || code === 'EMFILE' ? 'retryable' : 'permanent';
      throw new FunctionError(kind, 'not_started', `${this.#job.settings.command} could not be started`, { cause });
    }
    this.#child = child;
    this.#exit = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
    this.#exit.catch(() => undefined);
  }

  async wait(): Promise<void> {
    if (!this.#exit) throw new Error('wait before launch');
    const stopped = Promise.withResolvers<never>();
    const { signal, settings } = this.#job;
    const onAbort = (): void => stopped.reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    const watch = setInterval(() => void this.#checkSize(stopped.reject), WATCH_MS);
    try {
      signal.throwIfAborted();
      const [code, killedBy] = await Promise.race([this.#exit, stopped.promise]);
      if (code !== null && (settings.acceptExitCodes ?? [0]).includes(code)) return;
      throw this.#exitError(code, killedBy);
    } catch (error) {
      if (!(error instanceof FunctionError)) throw error;
      await this.end();
      throw this.#withTails(error);
    } finally {
      clearInterval(watch);
      signal.removeEventListener('abort', onAbort);
    }
  }

  async collect(): Promise<string> {
    // What still runs could go on writing.
    await this.end();
    const written = await stat(this.#output).catch(() => undefined);
    if (written && written.size > 0) return this.#output;
    const what = written ? 'wrote an empty' : 'wrote no';
    const text = `${this.#job.settings.command} ended well but ${what} output file`;
    throw this.#withTails(new FunctionError('permanent', 'no_output', text));
  }

  async end(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  async #end(): Promise<void> {
    const { folder, log, settings } = this.#job;
    const child = this.#child;
    if (child?.pid === undefined) return;
    const said = Promise.all([finished(child.stdout), finished(child.stderr)]).catch(() => undefined);
    const gone = await endProcessTree({ group: child.pid, folder, graceMs: settings.graceMs ?? 2_000 });
    if (!gone) log.error({ group: child.pid, folder }, 'processes of a legacy program could not be ended');
    await Promise.race([said, sleep(LAST_WORDS_MS)]);
    child.stdout.destroy();
    child.stderr.destroy();
  }

  #exitError(code: number | null, killedBy: NodeJS.Signals | null): FunctionError {
    const { command, retryExitCodes = [] } = this.#job.settings;
    if (code === null) {
      return new FunctionError('retryable', 'killed', `${command} was ended by ${killedBy ?? 'a signal'}`);
    }
    const kind = retryExitCodes.includes(code) ? 'retryable' : 'permanent';
    return new FunctionError(kind, 'exit_code', `${command} ended with exit code ${code}`);
  }

  async #checkSize(stop: (error: FunctionError) => void): Promise<void> {
    const { maxOutputBytes } = this.#job.settings;
    const written = await stat(this.#output).catch(() => undefined);
    if (maxOutputBytes === undefined || !written || written.size <= maxOutputBytes) return;
    const text = `The output grew beyond ${maxOutputBytes} bytes`;
    stop(new FunctionError('permanent', 'output_too_large', text));
  }

  #withTails(error: FunctionError): FunctionError {
    const said = this.#tails.flatMap(({ name, tail }) => (tail.text === '' ? [] : [`${name}: ${tail.text}`]));
    return new FunctionError(error.kind, error.code, [error.message, ...said].join('\n'), { cause: error });
  }
}
