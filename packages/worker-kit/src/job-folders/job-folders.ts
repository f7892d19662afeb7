import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isMarkOfDeadProcess, processMark } from './process-mark.ts';

/**
 * Folders for the files of running jobs, one per job, removed when its work ends. They lie in a folder of this process,
 * so that what a killed process left behind is found and removed by the next start on the same machine.
 */
export class JobFolders {
  readonly #own: string;

  private constructor(own: string) {
    this.#own = own;
  }

  /**
   * Opens `root` (made if missing; on a local disk, not shared between machines) and clears what dead processes left.
   *
   * @param onAbandoned called with each job folder of a dead process before it is removed, e.g. to end what still
   *   runs in it.
   */
  static async open(root: string, onAbandoned?: (folder: string) => Promise<void>): Promise<JobFolders> {
    await mkdir(root, { recursive: true, mode: 0o700 });
    for (const entry of await readdir(root, { withFileTypes: true })) {
      if (!entry.isDirectory() || !isMarkOfDeadProcess(entry.name)) continue;
      const left = join(root, entry.name);
      for (const folder of await readdir(left).catch(() => [])) await onAbandoned?.(join(left, folder));
      await rm(left, { recursive: true, force: true });
    }
    const own = join(root, processMark());
    await mkdir(own, { recursive: true, mode: 0o700 });
    return new JobFolders(own);
  }

  /** Runs work in a new empty folder (an absolute path when the root is one) and removes it, however the work ends. */
  async use<T>(work: (folder: string) => Promise<T>): Promise<T> {
    const folder = await mkdtemp(join(this.#own, 'job-'));
    try {
      return await work(folder);
    } finally {
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    }
  }

  /** Removes this process's folder. */
  async close(): Promise<void> {
    await rm(this.#own, { recursive: true, force: true });
  }
}
