import { parseArgs } from 'node:util';

/** How much to measure. */
export interface BenchOptions {
  readonly rounds: number;
  /** Orders of a throughput run with batch submission, for the floor as for Connecta. */
  readonly orders: number;
  /** Orders sent one per request, and how many requests are under way at once. */
  readonly singles: number;
  readonly inFlight: number;
  /** Orders placed one after the other. */
  readonly latency: number;
  /** Measure what an item costs in short lists and in a long one, instead of the floor and Connecta. */
  readonly lists: boolean;
  /** Measure an empty database and one that holds so many finished orders, instead of the floor and Connecta. */
  readonly filled: number | undefined;
  readonly json: boolean;
  /** A folder for a CPU profile of each of Connecta's processes. */
  readonly profileDir: string | undefined;
}

/** What `--help` prints. */
export const usage = `npm run bench -- [options]
  --rounds <n>     rounds, each of every measurement in turn (3)
  --orders <n>     orders a throughput run with batch submission (10000)
  --singles <n>    orders sent one per request (3000)
  --in-flight <n>  such requests under way at once (32)
  --latency <n>    orders placed one after the other (200)
  --lists          measure what an item costs in short lists and in a long one, and nothing else
  --filled <n>     measure on an empty database and on one with n finished orders, and nothing else
  --json           print the whole record instead of the table
  --profile <dir>  write a CPU profile of each process there (slows everything down)
`;

/** Reads the command line; undefined when help is asked for. Throws with all faults in one message. */
export function readOptions(args: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '3' },
      orders: { type: 'string', default: '10000' },
      singles: { type: 'string', default: '3000' },
      'in-flight': { type: 'string', default: '32' },
      latency: { type: 'string', default: '200' },
      lists: { type: 'boolean', default: false },
      filled: { type: 'string' },
      json: { type: 'boolean', default: false },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const faults: string[] = [];
  const count = (name: 'rounds' | 'orders' | 'singles' | 'in-flight' | 'latency' | 'filled'): number => {
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < 1) faults.push(`--${name} takes a whole number above 0`);
    return value;
  };
  const options = {
    rounds: count('rounds'),
    orders: count('orders'),
    singles: count('singles'),
    inFlight: count('in-flight'),
    latency: count('latency'),
    lists: values.lists,
    filled: values.filled === undefined ? undefined : count('filled'),
    json: values.json,
    profileDir: values.profile,
  };
  if (faults.length > 0) throw new Error(faults.join('; '));
  return options;
}
