import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ApiClient } from './api-client.ts';

/** The file that `connecta` is. */
export const connectaFile = join(import.meta.dirname, '../../apps/cli/bin/connecta.mjs');

/** How a command ended. */
export interface EndedCommand {
  code: number | null;
  out: string;
  err: string;
}

/** The real command in a folder of its own, as somebody with an address and a key runs it. */
export class CommandLine {
  readonly folder: string;
  readonly #api: ApiClient;

  private constructor(folder: string, api: ApiClient) {
    this.folder = folder;
    this.#api = api;
  }

  static async open(api: ApiClient): Promise<CommandLine> {
    return new CommandLine(await mkdtemp(join(tmpdir(), 'connecta-cli-')), api);
  }

  /** What the command's process sees, and nothing else of ours. */
  environment(more: Record<string, string> = {}): Record<string, string> {
    const { PATH = '' } = process.env;
    return { PATH, HOME: this.folder, CONNECTA_URL: this.#api.url, CONNECTA_KEY: this.#api.key, ...more };
  }

  begin(args: readonly string[], more: Record<string, string> = {}): ChildProcessWithoutNullStreams {
    return this.beginIn(this.environment(more), args);
  }

  beginIn(env: Record<string, string>, args: readonly string[]): ChildProcessWithoutNullStreams {
    return spawn(process.execPath, [connectaFile, ...args], { cwd: this.folder, env, stdio: 'pipe' });
  }

  async ended(child: ChildProcessWithoutNullStreams): Promise<EndedCommand> {
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => (out += String(chunk)));
    child.stderr.on('data', (chunk: Buffer) => (err += String(chunk)));
    child.stdin.end();
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, out, err };
  }

  run(...args: string[]): Promise<EndedCommand> {
    return this.ended(this.begin(args));
  }

  runWith(more: Record<string, string>, ...args: string[]): Promise<EndedCommand> {
    return this.ended(this.begin(args, more));
  }

  /** The data that a command gives to a script; throws unless it ends with 0. */
  async json<Data = Record<string, unknown>>(...args: string[]): Promise<Data> {
    const { code, out, err } = await this.run(...args, '-o', 'json');
    if (code !== 0) throw new Error(`connecta ${args.join(' ')} ended with ${String(code)}: ${err}`);
    return JSON.parse(out) as Data;
  }

  /** Writes a file below the folder and gives its relative path. */
  async write(name: string, content: string | Uint8Array): Promise<string> {
    await mkdir(dirname(join(this.folder, name)), { recursive: true });
    await writeFile(join(this.folder, name), content);
    return name;
  }

  close(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}
