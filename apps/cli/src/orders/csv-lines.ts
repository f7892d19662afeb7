import { createHash } from 'node:crypto';
import type { OrderRequest } from '../api/shapes.ts';
import type { CsvOrder } from './csv.ts';

/** How one line of the file came out. */
export interface LineOutcome {
  line: number;
  orderId?: string;
  state: string;
  input?: unknown;
  result?: unknown;
  error?: { code: string; message: string };
  tookMs?: number;
}

/**
 * Names the orders of one file for repeats of the command. The same text, order and line (and bytes of the file that a
 * line sends) make the same Idempotency-Key, so a repeat finds what an earlier run has placed; `run` tells apart what
 * shall be placed anew.
 */
export class LineKeys {
  readonly #of: string;

  constructor({ text, base, run }: { text: string; base: OrderRequest; run: string }) {
    this.#of = hash(JSON.stringify([run, hash(text), base]));
  }

  keyOf({ line }: Pick<CsvOrder, 'line'>, sha256 = ''): string {
    return `csv-${hash(`${this.#of} ${line} ${sha256}`)}`;
  }
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
