import { InvalidArgumentError, type Command } from 'commander';
import type { OrderRequest } from '../api/shapes.ts';
import { UsageError } from '../failures.ts';
import { readParams, readTarget, readValue } from '../orders/order-input.ts';
import { placeOrder } from '../orders/place-order.ts';
import { runCsv } from '../orders/run-csv.ts';
import { showEnd } from '../orders/show-end.ts';
import { watchOrder } from '../orders/watch-order.ts';
import { sendFile } from '../uploads/send-file.ts';
import type { CommandTools } from './tools.ts';

interface RunOptions {
  input?: string;
  file?: string;
  param: string[];
  strategy?: 'draft' | 'final';
  client?: string;
  watch?: boolean;
  fromCsv?: string;
  atOnce: number;
  anew?: boolean;
}

/** `connecta run`: one order, or one for each line of a CSV file. */
export function addRun(program: Command, tools: CommandTools): void {
  program
    .command('run')
    .description('place an order: a task (type/name), a list of tasks (a/b,c/d), or a workflow (name, name@version)')
    .argument('<what>', 'what to run')
    .option('-i, --input <json>', 'the input: JSON, @file (JSON or YAML), or - for JSON on standard input')
    .option('-f, --file <path>', 'send this file; its bytes are the input')
    .option('-p, --param <name=value>', 'a parameter of the order (again for more)', collect, [])
    .option('--strategy <strategy>', 'draft or final', strategyOf)
    .option('--client <name>', 'whose order it is (CONNECTA_CLIENT)')
    .option('-w, --watch', 'follow the order to its end; exit code 1 when it fails')
    .option('--from-csv <file>', 'one order for each line, then a table of how they ended (- for standard input)')
    .option('--at-once <n>', 'with --from-csv: orders that are open at a time', countOf, 100)
    .option(
      '--anew',
      'with --from-csv: place every order once more, also those that an earlier run of this file placed',
    )
    .addHelpText('after', EXAMPLES)
    .action((what: string, options: RunOptions) => run(what, options, tools));
}

const EXAMPLES = `
Examples:
  connecta run generic/add-2 --input 5 --watch
  connecta run generic/bright,generic/device-sizes --file photo.jpg --watch
  connecta run client-x --input @order.yaml -p review=true
  connecta run generic/add-2 --from-csv numbers.csv -o json`;

async function run(what: string, options: RunOptions, { session, ended }: CommandTools): Promise<void> {
  const client = options.client ?? session.client;
  const params = readParams(options.param);
  const base = {
    ...readTarget(what),
    ...(client === undefined ? {} : { client }),
    ...(params ? { params } : {}),
    ...(options.strategy ? { strategy: options.strategy } : {}),
  } as OrderRequest;
  if (options.fromCsv !== undefined) {
    if (options.input !== undefined || options.file !== undefined) {
      throw new UsageError('With --from-csv the inputs are in the file: leave --input and --file out.');
    }
    ended(await runCsv(session, { base, csv: options.fromCsv, atOnce: options.atOnce, anew: options.anew === true }));
    return;
  }
  const request = { ...base, ...(await inputOf(options, { session, client })) };
  const { id } = await placeOrder(session.api, request);
  if (!options.watch) {
    session.print.data({ id, state: 'accepted' }, (style) => `order ${style.strong(id)} is accepted`);
    if (session.print.format === 'text') session.print.note(`watch it: connecta orders watch ${id}`);
    return;
  }
  ended(showEnd(session, await watchOrder(session, session.api, id)));
}

async function inputOf(
  options: RunOptions,
  { session, client }: { session: CommandTools['session']; client: string | undefined },
): Promise<Partial<OrderRequest>> {
  if (options.input !== undefined && options.file !== undefined) {
    throw new UsageError('--input and --file exclude each other.');
  }
  if (options.file !== undefined) return { blobId: await sendFile(session, options.file, { client }) };
  if (options.input === undefined) return {};
  return { input: await readValue(options.input, '--input', session.around) };
}

/** For options that may be given several times. */
export const collect = (value: string, before: string[]): string[] => [...before, value];

function strategyOf(text: string): 'draft' | 'final' {
  if (text === 'draft' || text === 'final') return text;
  throw new InvalidArgumentError('It is draft or final.');
}

/** A positive number of an option. */
export function countOf(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 1000)
    throw new InvalidArgumentError('It is a number from 1 to 1000.');
  return count;
}
