import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Most entries that are kept: the oldest go. */
const MOST = 200;

/** Remembers uploads that were begun and not finished, so that a later command goes on with them. */
export class KeptUploads {
  readonly #file: string;

  constructor(env: Readonly<Record<string, string | undefined>>) {
    const base = env['XDG_STATE_HOME'] || join(env['HOME'] ?? '', '.local', 'state');
    this.#file = join(base, 'connecta', 'uploads.json');
  }

  find(key: string): string | undefined {
    return this.#read()[key];
  }

  keep(key: string, uploadId: string): void {
    const { [key]: _replaced, ...others } = this.#read();
    this.#write(Object.fromEntries<string>([...Object.entries(others), [key, uploadId] as const].slice(-MOST)));
  }

  forget(key: string): void {
    const { [key]: known, ...others } = this.#read();
    if (known !== undefined) this.#write(others);
  }

  #read(): Record<string, string> {
    try {
      return existsSync(this.#file) ? (JSON.parse(readFileSync(this.#file, 'utf8')) as Record<string, string>) : {};
    } catch {
      return {};
    }
  }

  /** An upload that cannot be remembered begins anew next time: no reason to fail. */
  #write(uploads: Record<string, string>): void {
    try {
      mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 });
      writeFileSync(`${this.#file}.new`, JSON.stringify(uploads), { mode: 0o600 });
      renameSync(`${this.#file}.new`, this.#file);
    } catch {
      return;
    }
  }
}
