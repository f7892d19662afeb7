import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { until } from './deliveries.ts';

/** A worker process that answers every delivery with a report. */
export class EchoProcess {
  readonly messages: string[] = [];
  readonly #child: ChildProcess;

  constructor(...args: string[]) {
    this.#child = fork(join(import.meta.dirname, 'echo-worker.ts'), args, {
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    this.#child.on('message', (message) => {
      if (typeof message === 'string') this.messages.push(message);
    });
  }

  async ready(): Promise<this> {
    await until('the worker', () => this.messages.includes('ready'));
    return this;
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Milliseconds since it last asked for work. */
  async lastAsked(): Promise<number> {
    const before = this.messages.length;
    this.#child.send('asked?');
    const answer = (): string | undefined => this.messages.slice(before).find((line) => line.startsWith('asked'));
    await until('an answer', () => answer() !== undefined);
    return Number(answer()?.split(' ')[1]);
  }

  async stop(): Promise<void> {
    if (!this.alive) return;
    const gone = once(this.#child, 'exit');
    this.#child.send('stop');
    const late = setTimeout(() => this.#child.kill('SIGKILL'), 3_000);
    await gone;
    clearTimeout(late);
  }
}
