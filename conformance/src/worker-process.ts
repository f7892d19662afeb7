import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const SAID_CHARS = 20_000;

export interface WorkerStart {
  command: string;
  beApiUrl: string;
  key: string;
  /** The kit's own environment: what of it every program needs is passed on. */
  own: Readonly<Record<string, string | undefined>>;
  slots: number;
  /** Where it may serve its profiles. */
  port: number;
  /** Further variables. */
  env: Readonly<Record<string, string>>;
}

/** The worker under test: a shell command in a process group of its own. */
export class WorkerProcess {
  readonly gatewayKey = 'the-gateway';
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #exit: Promise<number | string>;
  #said = '';
  #ended = false;

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
    const hear = (chunk: Buffer): void => void (this.#said = (this.#said + String(chunk)).slice(-SAID_CHARS));
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    this.#exit = new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'));
    });
    void this.#exit.then(() => (this.#ended = true));
  }

  static async start({ command, beApiUrl, key, slots, env, own, port }: WorkerStart): Promise<WorkerProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'connecta-conformance-'));
    const { PATH = '', HOME = '', LANG = 'C.UTF-8' } = own;
    const child = spawn('/bin/sh', ['-c', `exec ${command}`], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...{ PATH, HOME, LANG, BE_API_URL: beApiUrl, SERVICE_ACCOUNT_KEY: key, CONNECTA_GATEWAY_KEY: 'the-gateway' },
        ...{ WORKER_API_PORT: String(port), WORKER_API_URL: `http://127.0.0.1:${port}`, WORKER_DATA_DIR: folder },
        // A trial leaves nothing beside the program that it tries.
        PYTHONDONTWRITEBYTECODE: '1',
        SLOTS: String(slots),
        ...env,
      },
    });
    return new WorkerProcess(child, folder);
  }

  /** The last of what it wrote. */
  get said(): string {
    return this.#said;
  }

  get ended(): boolean {
    return this.#ended;
  }

  terminate(): void {
    this.#child.kill('SIGTERM');
  }

  /** Its exit code, or the signal that ended it; undefined when it still runs after the time. */
  async exited(withinMs: number): Promise<number | string | undefined> {
    const late = new AbortController();
    const timeout = sleep(withinMs, undefined, { signal: late.signal }).catch(() => undefined);
    const code = await Promise.race([this.#exit, timeout]);
    late.abort();
    return code;
  }

  /** Ends it and everything it started. */
  async stop(): Promise<void> {
    const { pid } = this.#child;
    if (pid !== undefined) {
      try {
        process.kill(-pid, 'SIGKILL');
      } catch {
        // All of the group has ended already.
      }
    }
    await this.exited(5_000);
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
