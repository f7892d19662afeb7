import { checkResult } from '../work.ts';
import type { Contestant } from './contestant.ts';

const lookUps = 50;

/** A run of many orders; `ms` ends when the client knows that all are done. */
export interface ThroughputRun {
  readonly ids: readonly string[];
  readonly ms: number;
  readonly submitMs: number;
}

/** Orders handed in as fast as the contestant's client can. */
export async function measureBatch(contestant: Contestant, orders: number): Promise<ThroughputRun> {
  const start = performance.now();
  let submitMs = 0;
  const ids = await contestant.placeMany(orders, () => (submitMs = performance.now() - start));
  return { ids, ms: performance.now() - start, submitMs };
}

/** Orders handed in by calls of one order each, `inFlight` at a time. */
export async function measureSingles(
  contestant: Contestant,
  { orders, inFlight }: { orders: number; inFlight: number },
): Promise<ThroughputRun> {
  const start = performance.now();
  const ids: string[] = [];
  let left = orders;
  const caller = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      ids.push(await contestant.submitOne());
    }
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
  const submitMs = performance.now() - start;
  await contestant.untilDone(ids);
  return { ids, ms: performance.now() - start, submitMs };
}

/** Milliseconds from the call to the result in the client's hands, of one order after another. */
export async function measureLatency(contestant: Contestant, orders: number): Promise<readonly number[]> {
  const eachMs: number[] = [];
  for (let at = 0; at < orders; at += 1) {
    const start = performance.now();
    const { id, result } = await contestant.placeOne();
    eachMs.push(performance.now() - start);
    checkResult(id, result);
  }
  return eachMs;
}

/** Checks the result of every order, and looks some up again. Throws when one is missing or wrong. */
export async function verify(contestant: Contestant, ids: readonly string[], orders: number): Promise<void> {
  if (new Set(ids).size !== orders) throw new Error(`${new Set(ids).size} orders instead of ${orders}`);
  const results = await contestant.resultsOf(ids);
  for (const id of ids) checkResult(id, results.get(id));
  for (let at = 0; at < Math.min(lookUps, orders); at += 1) {
    const id = ids[Math.floor(Math.random() * ids.length)] ?? '';
    checkResult(id, await contestant.lookUp(id));
  }
}
