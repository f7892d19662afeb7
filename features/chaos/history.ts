import { createWriteStream, mkdirSync, readFileSync, type WriteStream } from 'node:fs';
import { dirname } from 'node:path';
import type { OrderRecord } from '../src/guarantees.ts';

/** How many steps an order of a run has. */
export const STEPS = 3;

/**
 * What happened in a run, one JSON object a line: each fault and what it hit, and what became of each order, so that it
 * can be checked again when the system is gone.
 */
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

  /** Resolves when everything that was written so far is in the file. */
  flushed(): Promise<void> {
    return new Promise((resolve, reject) =>
      this.#stream.write('', (error) => (error ? reject(error) : resolve(undefined))),
    );
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#stream.end(resolve));
  }
}

/** The orders of a run, as its file has them. */
export function ordersIn(file: string): OrderRecord[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.flatMap((line) => {
    if (line === '') return [];
    const { event, order } = JSON.parse(line) as { event: string; order?: OrderRecord };
    return event === 'order' && order ? [order] : [];
  });
}
