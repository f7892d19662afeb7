import { mkdir, readdir, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isMarkOfDeadProcess, processMark } from '@connecta/worker-kit';

const ALIVE = 'alive';
const ALIVE_EVERY_MS = 5_000;
/** How long the sign of life of a process on another machine must stand still before it counts as dead. */
const DEAD_AFTER_MS = 60_000;

/**
 * The folder of this process below an inbox's working folder, and those of others. Any number of processes may serve
 * one inbox, on several machines: what a dead one held is adopted, by a rename, so that exactly one gets it.
 */
export class OwnerFolder {
  readonly path: string;
  readonly #root: string;
  readonly #mark: string;
  readonly #seen = new Map<string, { sign: string; sinceMs: number }>();
  #toldAliveMs = -Infinity;

  /** @param mark names this process; another one only in tests. */
  constructor(root: string, mark: string = processMark()) {
    this.#root = root;
    this.#mark = mark;
    this.path = join(root, mark);
  }

  /** Says that this process lives; also makes its folder anew when somebody took it for dead. */
  async tellAlive(nowMs: number): Promise<void> {
    if (nowMs - this.#toldAliveMs < ALIVE_EVERY_MS) return;
    await mkdir(this.path, { recursive: true, mode: 0o700 });
    await writeFile(join(this.path, ALIVE), String(Date.now()));
    this.#toldAliveMs = nowMs;
  }

  /** Folders of claims in this process's folder. */
  async claims(): Promise<string[]> {
    const entries = await readdir(this.path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => join(this.path, entry.name));
  }

  /** Takes over the claims of dead processes. */
  async adoptDead(nowMs: number): Promise<void> {
    for (const entry of await readdir(this.#root, { withFileTypes: true })) {
      if (!entry.isDirectory() || entry.name === this.#mark) continue;
      if (await this.#isDead(entry.name, nowMs)) await this.#adopt(join(this.#root, entry.name));
    }
  }

  async #isDead(mark: string, nowMs: number): Promise<boolean> {
    if (isMarkOfDeadProcess(mark)) return true;
    const alive = await stat(join(this.#root, mark, ALIVE), { bigint: true }).catch(() => undefined);
    const sign = alive === undefined ? 'none' : String(alive.mtimeNs);
    const seen = this.#seen.get(mark);
    if (seen?.sign !== sign) {
      this.#seen.set(mark, { sign, sinceMs: nowMs });
      return false;
    }
    return nowMs - seen.sinceMs >= DEAD_AFTER_MS;
  }

  async #adopt(folder: string): Promise<void> {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue;
      await rename(join(folder, entry.name), join(this.path, entry.name)).catch((error: unknown) => {
        // Another process was faster.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      });
    }
    await rm(join(folder, ALIVE), { force: true });
    await rmdir(folder).catch(() => undefined);
  }
}
