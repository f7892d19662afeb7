import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** A line of the ledger: what an attempt did, and in which process. */
export interface LedgerEntry {
  readonly word: string;
  readonly jobId: string;
  readonly attempt: number;
  readonly pid: number;
  /** Of an effect, or of one that was there already: what it is, or would have been. */
  readonly value?: number;
}

/** An effect that took place, and the attempt whose it was. */
export interface Effect {
  readonly attempt: number;
  readonly value: unknown;
}

/** An attempt of a job. */
export interface Held {
  readonly jobId: string;
  readonly attempt: number;
}

/** What the probe's functions really did, whatever they reported. */
export class Ledger {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  async entries(): Promise<LedgerEntry[]> {
    const text = await readFile(this.#file, 'utf8').catch(() => '');
    return text.split('\n').flatMap((line) => {
      const [word, jobId, attempt, pid, value] = line.split(' ');
      const valued = value === undefined ? {} : { value: Number(value) };
      return word && jobId ? [{ word, jobId, attempt: Number(attempt), pid: Number(pid), ...valued }] : [];
    });
  }

  /** What a process had begun and not ended: what it has in its hands, or had when it died. */
  async inHands(pid: number): Promise<Held[]> {
    const open = new Map<string, Held>();
    for (const { word, jobId, attempt, pid: by } of await this.entries()) {
      if (by !== pid) continue;
      if (word === 'begin') open.set(`${jobId} ${attempt}`, { jobId, attempt });
      else if (word === 'done' || word === 'left') open.delete(`${jobId} ${attempt}`);
    }
    return [...open.values()];
  }

  /** Every effect under its key, the job's id. */
  async effects(): Promise<Map<string, Effect>> {
    const folder = `${this.#file}.effects`;
    const names = await readdir(folder).catch(() => []);
    const keys = names.filter((name) => !name.startsWith('draft-'));
    const read = async (key: string): Promise<[string, Effect]> => [
      key,
      JSON.parse(await readFile(join(folder, key), 'utf8')) as Effect,
    ];
    return new Map(await Promise.all(keys.map(read)));
  }
}
