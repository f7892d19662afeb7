import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startSystem, type RunningSystem, type SystemOptions } from '@connecta/embedded';
import { openStore, seedServiceAccounts, type Store } from '@connecta/store';
import { ApiClient } from './api-client.ts';

/** A whole system of its own in a folder of its own, and a client of its API. */
export class TestSystem {
  readonly running: RunningSystem;
  readonly api: ApiClient;
  /** For looking at what the API does not tell: never for doing what it should do. */
  readonly store: Store;
  readonly ledgerFile: string;
  readonly #folder: string;

  private constructor(running: RunningSystem, folder: string, ledgerFile: string) {
    this.running = running;
    this.#folder = folder;
    this.ledgerFile = ledgerFile;
    this.api = new ApiClient(running.feUrl, running.adminKey);
    this.store = openStore({ databaseUrl: running.embedded.env['DATABASE_URL'] ?? '', applicationName: 'features' });
  }

  static async start(options: Partial<SystemOptions> = {}): Promise<TestSystem> {
    const folder = await mkdtemp(join(tmpdir(), 'connecta-features-'));
    const ledgerFile = join(folder, 'ledger');
    const { PATH = '', HOME = '', CI = '' } = process.env;
    const running = await startSystem({
      dataDir: join(folder, 'data'),
      env: { PATH, HOME, CI, LOG_LEVEL: 'info' },
      seedServiceAccounts,
      entries: { probe: 'features/probe' },
      ...options,
      extra: { PROBE_LEDGER: ledgerFile, ...options.extra },
    });
    return new TestSystem(running, folder, ledgerFile);
  }

  process(name: string): NonNullable<ReturnType<RunningSystem['processes']['get']>> {
    const found = this.running.processes.get(name);
    if (!found) throw new Error(`no process '${name}': ${[...this.running.processes.keys()].join(', ')}`);
    return found;
  }

  /** What the probe functions wrote: lines of `begin|done jobId attempt`. */
  async ledger(): Promise<string[]> {
    const text = await readFile(this.ledgerFile, 'utf8').catch(() => '');
    return text.split('\n').filter((line) => line !== '');
  }

  /** Sends one command to the system's Redis, as an operator would by hand. */
  async redisCommand(...words: string[]): Promise<void> {
    const { REDIS_URL = '' } = this.running.embedded.env;
    const { hostname, port, username, password } = new URL(REDIS_URL);
    const socket = connect(Number(port), hostname);
    const login = password ? [['AUTH', ...(username ? [username] : []), decodeURIComponent(password)]] : [];
    const encode = (command: string[]): string =>
      `*${command.length}\r\n${command.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
    const commands = [...login, words];
    socket.write(commands.map(encode).join(''));
    let answer = '';
    for await (const chunk of socket) {
      answer += String(chunk);
      if (answer.split('\r\n').length > commands.length) break;
    }
    socket.destroy();
    if (answer.includes('-')) throw new Error(`Redis answered ${answer}`);
  }

  async stop(): Promise<void> {
    await this.store.close();
    await this.running.stop();
    // To look at the logs of a failure: FEATURES_KEEP=1.
    if (!process.env['FEATURES_KEEP']) await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Asks until something is there. */
export async function until<T>(ask: () => Promise<T | undefined | null | false>, withinMs = 60_000): Promise<T> {
  let last: unknown;
  const end = Date.now() + withinMs;
  while (Date.now() < end) {
    try {
      const found = await ask();
      if (found) return found;
    } catch (error) {
      last = error;
    }
    await sleep(50);
  }
  throw new Error(`it did not happen within ${withinMs} ms`, { cause: last });
}
