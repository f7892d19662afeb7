import type { OrderRecord } from '../src/guarantees.ts';
import type { Fault, Strike } from './faults/fault.ts';

/** How long it took, from a fault, until the steps that it hit had completed after all. */
export interface Recovery {
  readonly id: string;
  readonly steps: number;
  readonly medianMs: number;
  readonly maxMs: number;
}

/** By fault, of the orders of the run; what other faults added meanwhile is in it. */
export function recoveriesOf(
  faults: readonly Pick<Fault, 'id'>[],
  injected: readonly (Strike & { id: string })[],
  records: readonly OrderRecord[],
): Recovery[] {
  const finished = new Map(
    records.flatMap(({ jobs }) => jobs.map((job): [string, number] => [job.id, Date.parse(job.finishedAt ?? '')])),
  );
  return faults.flatMap(({ id }) => {
    const took = injected
      .filter((strike) => strike.id === id)
      .flatMap(({ atMs, attempts = [] }) => attempts.map(({ jobId }) => (finished.get(jobId) ?? NaN) - atMs))
      .filter((ms) => ms > 0)
      .sort((a, b) => a - b);
    if (took.length === 0) return [];
    const medianMs = took[Math.floor(took.length / 2)] as number;
    return [{ id, steps: took.length, medianMs, maxMs: took.at(-1) as number }];
  });
}
