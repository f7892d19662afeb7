import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@connecta/runtime';
import { openBeApi } from '@connecta/worker-kit';
import { InboxGateway } from '../src/inbox/inbox-gateway.ts';
import type { InboxSettings } from '../src/inbox/inbox-settings.ts';
import { Inbox } from '../src/inbox/inbox.ts';
import { Shares } from '../src/shares/shares.ts';
import { until } from './legacy-setting.ts';
import { StandInBeApi } from './stand-in-be-api.ts';

/** The folders of one inbox, a be-api for it, and whatever serves it: objects in the test or real processes. */
export class InboxSetting {
  readonly root: string;
  readonly beApi: StandInBeApi;
  readonly #inboxes: Inbox[] = [];
  readonly #children: ChildProcess[] = [];

  private constructor(root: string, beApi: StandInBeApi) {
    this.root = root;
    this.beApi = beApi;
  }

  static async make(): Promise<InboxSetting> {
    const root = await mkdtemp(join(tmpdir(), 'inbox-'));
    for (const folder of ['in', 'out', 'rejected', 'share']) await mkdir(join(root, folder));
    const beApi = new StandInBeApi();
    await beApi.start();
    return new InboxSetting(root, beApi);
  }

  async remove(): Promise<void> {
    await Promise.all(this.#inboxes.map((inbox) => inbox.stop()));
    for (const child of this.#children) if (child.exitCode === null && child.signalCode === null) await kill(child);
    await this.beApi.stop();
    await rm(this.root, { recursive: true, force: true });
  }

  /** Serves the inbox from within the test. */
  start(more: Partial<InboxSettings> = {}, mark?: string): void {
    const inbox = new Inbox({
      settings: { ...this.#settings(), ...more },
      gateway: new InboxGateway(openBeApi({ url: this.beApi.url, key: 'sk_test' })),
      shares: new Shares({ files: { path: this.path('share'), uses: ['read'] } }),
      log: silentLogger(),
      ...(mark === undefined ? {} : { mark }),
    });
    this.#inboxes.push(inbox);
    inbox.start();
  }

  /** Starts the real process, as an operator would. */
  async startProcess(): Promise<ChildProcess> {
    const { path, outbox, rejected, client, tasks, stableMs, pollMs } = this.#settings();
    const inbox = { name: 'lab', path, outbox, rejected, client, tasks, stableMs, pollMs };
    const env = { BE_API_URL: this.beApi.url, SERVICE_ACCOUNT_KEY: 'sk_test', CU_INBOXES: JSON.stringify([inbox]) };
    const program = join(import.meta.dirname, '../src/inbox.ts');
    const child = spawn(process.execPath, [program], { env, stdio: ['ignore', 'ignore', 'inherit'] });
    this.#children.push(child);
    await once(child, 'spawn');
    return child;
  }

  #settings(): InboxSettings {
    return {
      ...{ name: 'lab', path: this.path('in'), outbox: this.path('out'), rejected: this.path('rejected') },
      ...{ working: this.path('in/.connecta'), processed: undefined, create: false, client: 'client-x' },
      ...{ workflow: undefined, tasks: ['cu/gzip'], stableMs: 100, pollMs: 50, maxBytes: 1_000_000, maxInFlight: 8 },
    };
  }

  path(...names: string[]): string {
    return join(this.root, ...names);
  }

  async drop(name: string, text: string): Promise<void> {
    await writeFile(this.path('in', name), text);
  }

  async list(folder: string): Promise<string[]> {
    return (await readdir(this.path(folder))).filter((name) => !name.startsWith('.')).sort();
  }

  async read(...names: string[]): Promise<string> {
    return readFile(this.path(...names), 'utf8');
  }

  async arrives(...names: string[]): Promise<string> {
    return until(async () => (existsSync(this.path(...names)) ? this.read(...names) : undefined), 25_000);
  }

  /** Waits until nothing of a claim is left in the working folder. */
  async cleared(): Promise<void> {
    await until(async () => {
      // A folder that goes away while it is read is on its way to being cleared.
      const names = await readdir(this.path('in/.connecta'), { recursive: true }).catch(() => ['going/away/now']);
      return names.every((name) => /^[^/]+(?:\/alive)?$/.test(name)) ? true : undefined;
    });
  }
}

/** Ends a process as a crash would. */
export async function kill(child: ChildProcess): Promise<void> {
  const over = once(child, 'exit');
  child.kill('SIGKILL');
  await over;
}
