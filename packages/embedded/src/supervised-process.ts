import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { identify } from './process-identity.ts';
import { rotate, tail } from './process-logs.ts';

/** What a supervised process says about itself; the caller decides where it goes. */
export type ProcessLog = (entry: { process: string; event: string; pid?: number; detail?: string }) => void;

/** How to start, recognise as ready and end one process. */
export interface ProcessPlan {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly uid?: number;
  readonly gid?: number;
  readonly logFile: string;
  readonly pidFile: string;
  /** Gives it a pipe as standard input: the kernel closes it however we end, and the process may end itself then. */
  readonly watchesParent?: boolean;
  readonly readyTimeoutMs: number;
  /** Resolves true once the process serves; false or a rejection means "not yet". */
  readonly ready: () => Promise<boolean>;
  /** Sent in turn until the process is gone, each with `graceMs` to act; SIGKILL comes last in any case. */
  readonly stopSignals: readonly NodeJS.Signals[];
  readonly graceMs: number;
  readonly log: ProcessLog;
}

/** A supervised process in the hands of somebody who wants to break it; supervision brings it back. */
export interface ProcessHandle {
  readonly pid: number | undefined;
  /** Sends a signal, as a fault would. */
  kill(signal: NodeJS.Signals): boolean;
  /** Resolves when it is ready (again). */
  untilUp(timeoutMs?: number): Promise<void>;
  /** Ends it and keeps it down until `restart`. */
  halt(): Promise<void>;
  /** Ends it as a stop would and starts it again. */
  restart(): Promise<void>;
}

const backoff = { firstMs: 50, maxMs: 5_000, steadyAfterMs: 10_000 } as const;
const endingSignals: ReadonlySet<NodeJS.Signals> = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGABRT']);

/** What still runs when this process exits without having stopped it. One listener, since Node warns beyond ten. */
const endedWithParent = new Set<SupervisedProcess>();
process.on('exit', () => {
  for (const running of endedWithParent) running.signalToStop();
});

/**
 * One process that is kept running: `down → starting → up`, back to `starting` by itself whenever it ends unasked
 * (after 50 ms, doubling up to 5 s while it keeps failing), to `down` by `stop()` alone.
 *
 * It runs in a process group of its own, so Ctrl-C at a terminal reaches only us and the order of stopping is ours.
 * A pid file tells the next run what to end when we are killed.
 */
export class SupervisedProcess {
  readonly #plan: ProcessPlan;
  #state: 'down' | 'starting' | 'up' = 'down';
  #child: ChildProcess | undefined;
  /** The process that `kill` has sent an ending signal. */
  #condemned: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #recovering: Promise<void> | undefined;
  /** Aborted while the process is to be down; cuts the wait before a restart short. */
  #stopping = new AbortController();
  #upSince = 0;
  #failures = 0;

  constructor(plan: ProcessPlan) {
    this.#plan = plan;
    this.#stopping.abort();
  }

  get name(): string {
    return this.#plan.name;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get isUp(): boolean {
    return this.#state === 'up';
  }

  /** Starts it and resolves when it is ready; rejects with the end of its log when it ends before that. */
  async start(): Promise<void> {
    if (this.#isWanted()) return this.untilUp();
    this.#stopping = new AbortController();
    this.#failures = 0;
    try {
      await this.#launch();
      endedWithParent.add(this);
    } catch (error) {
      this.#stopping.abort();
      throw error;
    }
  }

  /** Ends it for good (until the next `start`). May be called at any time and twice. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    endedWithParent.delete(this);
    await this.#end();
    await this.#recovering;
  }

  /** Stops it, lets the caller change what lies on the disk, and starts it again on the same port. */
  async restart(between: () => void = () => undefined): Promise<void> {
    await this.stop();
    between();
    await this.start();
  }

  /** Sends a signal as a fault would; supervision brings the process back. False when there is none to signal. */
  kill(signal: NodeJS.Signals): boolean {
    if (endingSignals.has(signal)) this.#condemned = this.#child;
    return this.#child?.kill(signal) ?? false;
  }

  /** Sends the first of the stop signals without waiting: all that can be done while this process itself exits. */
  signalToStop(): void {
    this.kill(this.#plan.stopSignals[0] ?? 'SIGTERM');
  }

  /** Resolves when the process is up (again). */
  async untilUp(timeoutMs = this.#plan.readyTimeoutMs): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    // A process that was just signalled is seen to end only a moment later.
    while (this.#state !== 'up' || this.#child === this.#condemned || !this.#alive()) {
      if (Date.now() > deadline) throw new Error(`${this.#plan.name} is not up after ${timeoutMs} ms`);
      await sleep(20);
    }
  }

  #isWanted(): boolean {
    return !this.#stopping.signal.aborted;
  }

  #alive(): boolean {
    return this.#child?.pid !== undefined && identify(this.#child.pid) !== undefined;
  }

  async #launch(): Promise<void> {
    const { name, log } = this.#plan;
    this.#state = 'starting';
    const child = this.#spawn();
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      const gone = (detail: string): void => {
        resolve();
        this.#onExit(child, detail);
      };
      child.once('error', (error) => gone(error.message));
      child.once('exit', (code, signal) => gone(signal ?? `code ${code}`));
    });
    if (child.pid !== undefined) this.#writePidFile(child.pid);
    await this.#untilReady(child);
    this.#state = 'up';
    this.#upSince = Date.now();
    // From here on it must not keep the parent alive: a parent that forgot `stop()` still ends, and takes it along.
    child.unref();
    if (child.stdin instanceof Socket) child.stdin.unref();
    log({ process: name, event: 'up', ...(child.pid === undefined ? {} : { pid: child.pid }) });
  }

  #spawn(): ChildProcess {
    const { command, args, env, cwd, uid, gid, logFile, watchesParent } = this.#plan;
    rotate(logFile);
    const output = openSync(logFile, 'a', 0o600);
    try {
      const as = uid === undefined || gid === undefined ? {} : { uid, gid };
      const stdin = watchesParent ? 'pipe' : 'ignore';
      const child = spawn(command, args, { cwd, env, ...as, detached: true, stdio: [stdin, output, output] });
      // Only its end matters; a pipe that broke because the process died says nothing new.
      child.stdin?.on('error', () => undefined);
      return child;
    } finally {
      closeSync(output);
    }
  }

  async #untilReady(child: ChildProcess): Promise<void> {
    const { name, readyTimeoutMs, ready, logFile } = this.#plan;
    const deadline = Date.now() + readyTimeoutMs;
    for (;;) {
      if (child !== this.#child) throw new Error(`${name} ended before it was ready:\n${tail(logFile)}`);
      if (await ready().catch(() => false)) return;
      if (Date.now() > deadline) {
        await this.#end();
        throw new Error(`${name} was not ready after ${readyTimeoutMs} ms:\n${tail(logFile)}`);
      }
      await sleep(20);
    }
  }

  #onExit(child: ChildProcess, detail: string): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    rmSync(this.#plan.pidFile, { force: true });
    const unasked = this.#state === 'up' && this.#isWanted();
    this.#state = 'down';
    this.#plan.log({ process: this.#plan.name, event: unasked ? 'died' : 'ended', detail });
    if (!unasked) return;
    if (Date.now() - this.#upSince > backoff.steadyAfterMs) this.#failures = 0;
    this.#recovering = this.#recover().finally(() => (this.#recovering = undefined));
  }

  async #recover(): Promise<void> {
    for (;;) {
      const delayMs = Math.min(backoff.maxMs, backoff.firstMs * 2 ** this.#failures);
      this.#failures += 1;
      await sleep(delayMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      if (!this.#isWanted()) return;
      try {
        await this.#launch();
        return;
      } catch (error) {
        if (this.#isWanted()) this.#plan.log({ process: this.#plan.name, event: 'failed', detail: String(error) });
      }
    }
  }

  async #end(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    child.ref();
    for (const signal of [...this.#plan.stopSignals, 'SIGKILL' as const]) {
      child.kill(signal);
      // A stopped process (SIGSTOP) takes no other signal before it goes on.
      child.kill('SIGCONT');
      const waiting = new AbortController();
      const late = sleep(this.#plan.graceMs, 'late', { signal: waiting.signal }).catch(() => 'gone');
      const outcome = await Promise.race([this.#exited.then(() => 'gone'), late]);
      waiting.abort();
      if (outcome === 'gone') return;
    }
  }

  #writePidFile(pid: number): void {
    const identity = identify(pid);
    if (identity) writeFileSync(this.#plan.pidFile, JSON.stringify(identity), { mode: 0o600 });
  }
}
