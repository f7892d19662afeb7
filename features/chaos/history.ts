import { mkdirSync, createWriteStream, type WriteStream } from 'node:fs';
import { dirname } from 'node:path';

/** What happened in a run, one JSON object a line: to see afterwards what hit what. */
export class History {
  readonly file: string;
  readonly #stream: WriteStream;

  constructor(file: string) {
    mkdirSync(dirname(file), { recursive: true });
    this.file = file;
    this.#stream = createWriteStream(file);
  }

  write(event: string, facts: Readonly<Record<string, unknown>> = {}): void {
    this.#stream.write(`${JSON.stringify({ at: new Date().toISOString(), event, ...facts })}\n`);
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#stream.end(resolve));
  }
}
