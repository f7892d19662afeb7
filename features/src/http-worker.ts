import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { ProcessHandle } from '@connecta/embedded';
import { until } from './system.ts';

const entry = join(import.meta.dirname, '../probe/http-worker.mjs');
const AGAIN_MS = 300;

/** What an HTTP worker is told: be-api's address, its key, the ledger. */
export type HttpWorkerEnv = Readonly<Record<string, string>>;

/** A worker of the type `probe` that speaks HTTP, kept running: one that was killed comes back under another name. */
export class HttpWorker implements ProcessHandle {
  readonly #env: HttpWorkerEnv;
  #child: ChildProcess | undefined;
  #registered = false;
  #wanted = false;
  #lives = 0;

  constructor(env: HttpWorkerEnv) {
    this.#env = env;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  kill(signal: NodeJS.Signals): boolean {
    if (signal === 'SIGKILL') this.#registered = false;
    return this.#child?.kill(signal) ?? false;
  }

  async untilUp(timeoutMs = 60_000): Promise<void> {
    await until(() => Promise.resolve(this.#registered), timeoutMs);
  }

  async restart(): Promise<void> {
    await this.halt();
    this.#wanted = true;
    this.#launch();
    await this.untilUp();
  }

  async halt(): Promise<void> {
    this.#wanted = false;
    const child = this.#child;
    if (!child) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    this.kill('SIGKILL');
    await gone;
  }

  #launch(): void {
    const { PATH = '' } = process.env;
    const child = fork(entry, [], { env: { PATH, ...this.#env, INSTANCE: `http-${++this.#lives}-${process.pid}` } });
    this.#child = child;
    child.once('message', () => (this.#registered = this.#child === child));
    child.once('exit', () => {
      this.#child = undefined;
      this.#registered = false;
      if (this.#wanted) setTimeout(() => this.#wanted && this.#launch(), AGAIN_MS);
    });
  }
}
