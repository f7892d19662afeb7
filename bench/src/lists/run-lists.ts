import { makeItemTask } from '../connecta/lists.ts';
import { contenderOf } from '../contender.ts';
import type { Contender } from '../contender.ts';
import { Opened } from '../opened.ts';
import type { BenchOptions } from '../options.ts';
import type { PairTitles } from '../pair-report.ts';
import { measurePair } from '../pairs.ts';
import type { PairRound } from '../pairs.ts';
import { startOne, throughGateway } from '../run-bench.ts';
import type { BenchSurroundings } from '../run-bench.ts';

/** As many items once as many short lists and once as one long list. */
const lists = { short: 100, long: 10_000 } as const;
const orders = lists.long / lists.short;

/** How the figures are told. */
export const listTitles = {
  alone: {
    unit: 'item',
    small: `${orders} lists of ${lists.short}, one after another`,
    large: `one list of ${lists.long}`,
    cpuAtMost: 1.2,
  },
  together: {
    unit: 'item',
    small: `${orders} lists of ${lists.short}, all at once`,
    large: `one list of ${lists.long}, as many items at once`,
    cpuAtMost: 1.2,
  },
} as const satisfies Readonly<Record<string, PairTitles>>;

/** Starts Connecta and measures what an item costs in short lists and in a long one. */
export async function runLists(options: BenchOptions, surroundings: BenchSurroundings): Promise<readonly PairRound[]> {
  const { tell, stopping } = surroundings;
  const opened = new Opened(stopping);
  try {
    tell('Starting Connecta…');
    const connecta = await opened.add(startOne('lists', options, surroundings));
    const { url, key } = connecta;
    const task = await throughGateway(connecta, makeItemTask);
    const clientOf = (items: number, max?: number): Promise<Contender> =>
      contenderOf(connecta, { kind: 'lists', url, key, task, items, ...(max === undefined ? {} : { max }) }, opened);
    const short = { contender: await clientOf(lists.short), orders, each: lists.short };
    const long = { contender: await clientOf(lists.long), orders: 1, each: lists.long };
    const wide = { ...long, contender: await clientOf(lists.long, lists.long) };
    tell('Warming up…');
    for (const side of [short, long, wide]) await side.contender.client.ask({ do: 'batch', orders: side.orders });
    const rounds: PairRound[] = [];
    for (let round = 0; round < options.rounds; round += 1) {
      stopping.throwIfAborted();
      const [latency, batch] = [{ do: 'latency' }, { do: 'batch' }] as const;
      rounds.push({
        alone: await measurePair({ small: { ...short, how: latency }, large: { ...long, how: latency } }, round),
        together: await measurePair({ small: { ...short, how: batch }, large: { ...wide, how: batch } }, round),
      });
      tell(`Round ${round + 1} of ${options.rounds}`);
    }
    return rounds;
  } finally {
    await opened.stop();
  }
}
