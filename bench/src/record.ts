import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import type { BenchOptions } from './options.ts';

/** Everything of one run: what was asked for, on which machine, every figure, and their summary. */
export interface BenchRecord<Summary = unknown, Round = unknown> {
  readonly at: string;
  readonly machine: { readonly cpu: string; readonly cores: number; readonly memoryMb: number; readonly node: string };
  readonly options: BenchOptions;
  readonly summary: Summary;
  readonly rounds: readonly Round[];
}

/** Puts a run's figures together. */
export function makeRecord<Summary, Round>(run: {
  options: BenchOptions;
  summary: Summary;
  rounds: readonly Round[];
}): BenchRecord<Summary, Round> {
  const cores = cpus();
  const machine = {
    cpu: cores[0]?.model ?? 'unknown',
    cores: cores.length,
    memoryMb: Math.round(totalmem() / 1_048_576),
    node: process.version,
  };
  return { at: new Date().toISOString(), machine, ...run };
}

/** Keeps a record in a file of its own and returns its path. */
export function writeRecord(record: BenchRecord, folder: string): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${record.at.replaceAll(':', '-')}.json`);
  writeFileSync(file, `${JSON.stringify(record, null, 2)}\n`);
  return file;
}
