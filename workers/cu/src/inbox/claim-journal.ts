import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { blobRefSchema } from '@connecta/contracts';
import { z } from 'zod';
import { syncFolder } from '../shares/regular-file.ts';

const JOURNAL = 'journal.json';
const DATA = 'data';

const entrySchema = z.strictObject({
  format: z.literal(1),
  claim: z.string(),
  file: z.string(),
  /** The file's content, once it is stored as a blob of the client. */
  blob: blobRefSchema.optional(),
  /** When the order was first sent; without `order`, nobody knows whether it arrived. */
  sentAt: z.iso.datetime().optional(),
  order: z.uuid().optional(),
  /** The name under which the file goes to `rejected`. */
  rejectedAs: z.string().optional(),
  /** Result files that lie in the outbox. */
  delivered: z.array(z.string()).optional(),
});

/** What is known of one claimed file. Facts are only added, each before anything is done that relies on it. */
export type ClaimEntry = z.output<typeof entrySchema>;

/** Thrown when a claim's folder is gone: another process has adopted it, which must have taken this one for dead. */
export class ClaimLost extends Error {
  override readonly name = 'ClaimLost';
}

/** The folder of one claimed file: its bytes and its journal, so that a crash at any point can be made up for. */
export class Claim {
  readonly folder: string;
  #entry: ClaimEntry;

  private constructor(folder: string, entry: ClaimEntry) {
    this.folder = folder;
    this.#entry = entry;
  }

  /** Writes the journal of a file that is about to be moved in. */
  static async begin(folder: string, claim: string, file: string): Promise<Claim> {
    const begun = new Claim(folder, { format: 1, claim, file });
    await begun.note({});
    return begun;
  }

  /** Reads a claim that another process began; undefined when it had not even a journal. */
  static async read(folder: string): Promise<Claim | undefined> {
    const text = await readFile(join(folder, JOURNAL), 'utf8').catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    });
    return text === undefined ? undefined : new Claim(folder, entrySchema.parse(JSON.parse(text)));
  }

  get entry(): ClaimEntry {
    return this.#entry;
  }

  /** The claimed file. */
  get data(): string {
    return join(this.folder, DATA);
  }

  /**
   * Adds facts, durably: when it resolves they survive a power cut. `undefined` takes a fact back.
   *
   * @throws ClaimLost
   */
  async note(facts: { [Fact in keyof ClaimEntry]?: ClaimEntry[Fact] | undefined }): Promise<void> {
    const entry = entrySchema.parse(JSON.parse(JSON.stringify({ ...this.#entry, ...facts })));
    const next = join(this.folder, `${JOURNAL}.next`);
    try {
      const file = await open(next, 'w', 0o600);
      try {
        await file.writeFile(JSON.stringify(entry));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(next, join(this.folder, JOURNAL));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
      throw new ClaimLost(`the folder of ${this.#entry.file} is gone`, { cause });
    }
    await syncFolder(this.folder);
    this.#entry = entry;
  }
}
