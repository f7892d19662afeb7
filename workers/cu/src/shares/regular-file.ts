import { constants } from 'node:fs';
import { open, realpath, stat, type FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';

/** Thrown when a path does not name a whole, plain file: a link, a pipe, a folder, or a file swapped meanwhile. */
export class NotARegularFile extends Error {
  override readonly name = 'NotARegularFile';
}

/** An open file and its size at that moment. The caller closes the handle. */
export interface OpenFile {
  handle: FileHandle;
  sizeBytes: number;
}

/**
 * Opens a file for reading that somebody else may have put there. A link is not followed, a pipe not waited for, and
 * the file must be the one that its real path names, so that no folder on the way is a link either.
 *
 * @param path an absolute path whose folder is a real path.
 * @throws NotARegularFile; errors of the file system (`ENOENT`) as they are.
 */
export async function openRegularFile(path: string): Promise<OpenFile> {
  let handle: FileHandle;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'ELOOP' && code !== 'EMLINK' && code !== 'ENXIO') throw cause;
    throw new NotARegularFile(`${path} is not a plain file`, { cause });
  }
  try {
    const opened = await handle.stat();
    const real = await realpath(path);
    const named = await stat(real);
    if (!opened.isFile() || real !== path || named.ino !== opened.ino || named.dev !== opened.dev) {
      throw new NotARegularFile(`${path} is not a plain file`);
    }
    return { handle, sizeBytes: opened.size };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Thrown by {@link copyInto} when a file holds more bytes than allowed. */
export class FileTooLarge extends Error {
  override readonly name = 'FileTooLarge';
  readonly maxBytes: number;

  constructor(maxBytes: number) {
    super(`more than ${maxBytes} bytes`);
    this.maxBytes = maxBytes;
  }
}

/**
 * Streams bytes into a new file; with `durable` they survive a power cut (`fsync`) before it resolves.
 *
 * @returns the number of bytes.
 * @throws FileTooLarge; `EEXIST` when the file is there already.
 */
export async function copyInto(
  target: string,
  source: Readable,
  options: { maxBytes: number; signal: AbortSignal; durable?: boolean },
): Promise<number> {
  const { maxBytes, signal } = options;
  signal.throwIfAborted();
  const stop = (): void => void source.destroy(signal.reason as Error);
  signal.addEventListener('abort', stop, { once: true });
  const file = await open(target, 'wx', 0o600);
  let sizeBytes = 0;
  try {
    for await (const chunk of source) {
      const bytes = chunk as Buffer;
      sizeBytes += bytes.length;
      if (sizeBytes > maxBytes) throw new FileTooLarge(maxBytes);
      await file.writeFile(bytes);
    }
    if (options.durable) await file.sync();
    return sizeBytes;
  } finally {
    signal.removeEventListener('abort', stop);
    source.destroy();
    await file.close();
  }
}

/** Makes a rename in this folder durable. Some network file systems cannot, and do so by themselves. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY).catch(() => undefined);
  if (!handle) return;
  try {
    await handle.sync();
  } catch {
    // See above: EINVAL, ENOTSUP or EPERM of the file system.
  } finally {
    await handle.close();
  }
}
