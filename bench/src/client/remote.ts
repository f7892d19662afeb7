import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { ClientAnswers, ClientCommand, ClientPlan, ClientReply } from './protocol.ts';

/** A client process in the hands of the one that measures: one command at a time. */
export class RemoteClient {
  readonly #child: ChildProcess;
  readonly #timeoutMs: number;

  private constructor(child: ChildProcess, timeoutMs: number) {
    this.#child = child;
    this.#timeoutMs = timeoutMs;
  }

  static async start(plan: ClientPlan, options: { timeoutMs: number }): Promise<RemoteClient> {
    const child = fork(join(import.meta.dirname, 'process.ts'), {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const client = new RemoteClient(child, options.timeoutMs);
    try {
      await client.ask({ do: 'open', plan });
      return client;
    } catch (error) {
      await client.stop();
      throw error;
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Sends a command and resolves with its answer. Throws when the client failed, died, or took longer than allowed. */
  async ask<Command extends ClientCommand>(command: Command): Promise<ClientAnswers[Command['do']]> {
    const { promise, resolve, reject } = Promise.withResolvers<ClientReply>();
    const died = (code: number | null): void => reject(new Error(`the client ended with ${code} during ${command.do}`));
    const late = setTimeout(
      () => reject(new Error(`${command.do} took longer than ${this.#timeoutMs} ms`)),
      this.#timeoutMs,
    );
    this.#child.once('message', resolve);
    this.#child.once('exit', died);
    try {
      this.#child.send(command);
      const reply = await promise;
      if ('error' in reply) throw new Error(`${command.do}: ${reply.error}`);
      return reply.answer as ClientAnswers[Command['do']];
    } finally {
      clearTimeout(late);
      this.#child.off('message', resolve);
      this.#child.off('exit', died);
    }
  }

  /** Closes the client's connections and ends its process. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    await this.ask({ do: 'close' }).catch(() => undefined);
    this.#child.kill('SIGTERM');
    await gone;
  }
}
