import type { Readable } from 'node:stream';

/** Keeps the end of what a program says; the rest is read and forgotten, so that it never blocks on a full pipe. */
export class OutputTail {
  readonly #maxBytes: number;
  #bytes = Buffer.alloc(0);

  constructor(stream: Readable, maxBytes: number) {
    this.#maxBytes = maxBytes;
    stream.on('data', (chunk: Buffer) => {
      const all = Buffer.concat([this.#bytes, chunk]);
      this.#bytes = all.subarray(Math.max(0, all.length - this.#maxBytes));
    });
    // A pipe may break when the program is killed; its end is told by the process itself.
    stream.on('error', () => undefined);
  }

  /** The last lines as text; control characters, which a log would act on, become spaces. */
  get text(): string {
    return this.#bytes
      .toString('utf8')
      .replace(/(?!\n)\p{Cc}/gu, ' ')
      .trim();
  }
}
