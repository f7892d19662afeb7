import { randomUUID } from 'node:crypto';
import { realpath, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import type { FileRef } from '@connecta/contracts';
import { FunctionError } from '@connecta/worker-kit';
import { parseRelativePath } from './relative-path.ts';
import { NotARegularFile, copyInto, openRegularFile, syncFolder, type OpenFile } from './regular-file.ts';

/** What the operator lets jobs do on a share: exchange files with a program, read `{file}` inputs, leave results. */
export const SHARE_USES = ['exchange', 'read', 'write'] as const;
export type ShareUse = (typeof SHARE_USES)[number];

export interface Share {
  /** Absolute path of the share's root. */
  readonly path: string;
  readonly uses: readonly ShareUse[];
}

/**
 * The folders of legacy installations that this worker may touch, by name. Roots are looked up at each use: a network
 * share may come and go, and its absence only delays jobs.
 */
export class Shares {
  readonly #shares: ReadonlyMap<string, Share>;

  constructor(shares: Readonly<Record<string, Share>>) {
    this.#shares = new Map(Object.entries(shares));
  }

  /** Names of the shares that may be used so. */
  namesFor(use: ShareUse): string[] {
    return [...this.#shares].filter(([, share]) => share.uses.includes(use)).map(([name]) => name);
  }

  /**
   * The real path of a folder on a share; the empty path is its root.
   *
   * @throws FunctionError permanent `unknown_share`, `path_refused` (upwards, through a link); retryable
   *   `share_unavailable`.
   */
  async folder(name: string, path: string, use: ShareUse): Promise<string> {
    const root = await this.#root(name, use);
    if (path === '') return root;
    const full = join(root, ...this.#names(path));
    const real = await realpath(full).catch((cause: unknown) => {
      throw new FunctionError('retryable', 'share_unavailable', `Share "${name}" has no folder "${path}"`, { cause });
    });
    if (real !== full) throw new FunctionError('permanent', 'path_refused', `"${path}" leads through a link`);
    return real;
  }

  /**
   * Opens a file of a share for reading.
   *
   * @throws FunctionError as {@link folder}; permanent `file_missing`.
   */
  async open({ share, path }: FileRef): Promise<OpenFile> {
    const names = this.#names(path);
    const full = join(await this.#root(share, 'read'), ...names);
    try {
      return await openRegularFile(full);
    } catch (cause) {
      if (cause instanceof NotARegularFile) {
        throw new FunctionError('permanent', 'path_refused', `"${path}" is not a plain file`, { cause });
      }
      const { code } = cause as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ENOTDIR') throw cause;
      throw new FunctionError('permanent', 'file_missing', `Share "${share}" has no file "${path}"`, { cause });
    }
  }

  /** Leaves bytes as a file of a share, whole at once: written beside its place and renamed into it. */
  async put(file: FileRef, source: Readable, options: { maxBytes: number; signal: AbortSignal }): Promise<void> {
    const names = this.#names(file.path);
    const folder = await this.folder(file.share, names.slice(0, -1).join('/'), 'write');
    const target = join(folder, names.at(-1) ?? '');
    const part = join(folder, `.${randomUUID()}.part`);
    try {
      await copyInto(part, source, { ...options, durable: true });
      await rename(part, target);
    } finally {
      await rm(part, { force: true });
    }
    await syncFolder(dirname(target));
  }

  async #root(name: string, use: ShareUse): Promise<string> {
    const share = this.#shares.get(name);
    if (!share?.uses.includes(use)) {
      throw new FunctionError('permanent', 'unknown_share', `There is no share "${name}" for ${use}`);
    }
    return realpath(share.path).catch((cause: unknown) => {
      throw new FunctionError('retryable', 'share_unavailable', `Share "${name}" cannot be reached`, { cause });
    });
  }

  #names(path: string): string[] {
    const names = parseRelativePath(path);
    if (!names) throw new FunctionError('permanent', 'path_refused', `"${path}" is not a path below a share`);
    return names;
  }
}
