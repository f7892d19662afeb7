import { chmod, mkdir, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FunctionTrial, JobFolders, type WorkerFunction } from '@connecta/worker-kit';
import { cuFunctions, type CuRules } from '../src/functions.ts';
import { Shares } from '../src/shares/shares.ts';

/** A machine with legacy programs and shares, of one test. */
export class LegacySetting {
  readonly root: string;
  readonly folders: JobFolders;
  readonly rules: CuRules;
  readonly trial = new FunctionTrial();

  private constructor(root: string, folders: JobFolders, rules: CuRules) {
    this.root = root;
    this.folders = folders;
    this.rules = rules;
  }

  /** @param programs shell scripts by name. */
  static async make(programs: Readonly<Record<string, string>> = {}): Promise<LegacySetting> {
    const root = await realpath(await mkdtemp(join(tmpdir(), 'legacy-')));
    const commands = new Map<string, string>();
    for (const [name, script] of Object.entries(programs)) {
      const path = join(root, name);
      await writeFile(path, `#!/bin/sh\n${script}\n`);
      await chmod(path, 0o755);
      commands.set(name, path);
    }
    for (const share of ['exchange/in', 'exchange/out', 'files']) await mkdir(join(root, share), { recursive: true });
    return new LegacySetting(root, await JobFolders.open(join(root, 'jobs')), {
      commands,
      envNames: ['TZ'],
      path: [dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter),
      shares: {
        exchange: { path: join(root, 'exchange'), uses: ['exchange'] },
        files: { path: join(root, 'files'), uses: ['read', 'write'] },
      },
    });
  }

  function(name: string): WorkerFunction {
    const { folders, rules } = this;
    const found = cuFunctions(rules, { folders, shares: new Shares(rules.shares) }).find((f) => f.name === name);
    if (!found) throw new Error(`no function ${name}`);
    return found;
  }

  path(...names: string[]): string {
    return join(this.root, ...names);
  }

  /** Job folders that are still there. */
  async leftFolders(): Promise<string[]> {
    const own = await readdir(this.path('jobs'));
    return (await Promise.all(own.map((name) => readdir(this.path('jobs', name))))).flat();
  }

  async remove(): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
  }
}

/** Waits until something is there. */
export async function until<T>(look: () => Promise<T | undefined>, limitMs = 60_000): Promise<T> {
  const begin = performance.now();
  while (performance.now() - begin < limitMs) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(10);
  }
  throw new Error('it did not come in time');
}
