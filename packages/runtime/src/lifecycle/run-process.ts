import { ConfigError } from '../config/read-config.ts';
import type { ProcessConfig } from '../config/config-fields.ts';
import { createLogger, type Logger } from '../logging/logger.ts';
import { Closers } from './closers.ts';

/** What a process's main function is given. */
export interface ProcessScope<Config> {
  readonly config: Config;
  readonly log: Logger;
  /** Run last-in-first-out when the process stops. */
  readonly closers: Closers;
  /** Aborted at the first sign that the process is to stop, before the closers run: ends long polls and streams. */
  readonly stopping: AbortSignal;
  /** Stops the process as SIGTERM would; with an error it ends with code 1. */
  stop(reason: string, error?: unknown): void;
}

/**
 * Runs one process: reads its configuration (exit 78 with every fault on standard error), starts `main`, and from then
 * on stops on SIGTERM, SIGINT, a closed standard input (`parentWatch: stdin`) or an unhandled error (exit 1). Stopping
 * runs the closers within `stopTimeoutMs`, then exits 0, or 1 when they did not finish. A second signal changes nothing
 * while closers run within their bound.
 */
export async function runProcess<Config extends ProcessConfig>(options: {
  name: string;
  config: () => Config;
  main: (scope: ProcessScope<Config>) => Promise<void>;
}): Promise<void> {
  let config: Config;
  try {
    config = options.config();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${options.name}: ${error.message}\n`);
    process.exit(error.exitCode);
  }
  const log = createLogger({ name: options.name, level: config.logLevel });
  const run = new ProcessRun({ log, stopTimeoutMs: config.stopTimeoutMs });
  run.listen(config.parentWatch);
  try {
    await options.main({
      config,
      log,
      closers: run.closers,
      stopping: run.stopping,
      stop: (reason, error) => run.stop(reason, error),
    });
    log.info({}, 'started');
  } catch (error) {
    run.stop('the start failed', error);
  }
}

/** States: running → stopping → exited. */
class ProcessRun {
  readonly closers: Closers;
  readonly #log: Logger;
  readonly #stopTimeoutMs: number;
  readonly #abort = new AbortController();

  constructor(options: { log: Logger; stopTimeoutMs: number }) {
    this.#log = options.log;
    this.#stopTimeoutMs = options.stopTimeoutMs;
    this.closers = new Closers(options.log);
  }

  get stopping(): AbortSignal {
    return this.#abort.signal;
  }

  listen(parentWatch: ProcessConfig['parentWatch']): void {
    process.on('SIGTERM', () => this.stop('SIGTERM'));
    process.on('SIGINT', () => this.stop('SIGINT'));
    process.on('unhandledRejection', (error) => this.stop('an unhandled rejection', error ?? new Error('rejected')));
    process.on('uncaughtException', (error) => this.stop('an uncaught exception', error));
    if (parentWatch === 'stdin') {
      // The launcher holds the other end of the pipe; the kernel closes it however the launcher dies.
      process.stdin.on('end', () => this.stop('the parent is gone'));
      process.stdin.on('error', () => this.stop('the parent is gone'));
      process.stdin.resume();
    }
  }

  stop(reason: string, error?: unknown): void {
    if (error !== undefined) this.#log.fatal({ err: error }, `stopping: ${reason}`);
    if (this.stopping.aborted) return;
    if (error === undefined) this.#log.info({ reason }, 'stopping');
    this.#abort.abort();
    const late = setTimeout(() => {
      this.#log.error({ stopTimeoutMs: this.#stopTimeoutMs }, 'did not stop in time');
      process.exit(1);
    }, this.#stopTimeoutMs);
    void this.closers.close().then(() => {
      clearTimeout(late);
      this.#log.info({}, 'stopped');
      process.exit(error === undefined ? 0 : 1);
    });
  }
}
