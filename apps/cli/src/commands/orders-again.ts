import type { Command } from 'commander';
import type { RerunPlan, RerunRequest } from '../api/shapes.ts';
import type { Style } from '../output/style.ts';
import { table } from '../output/table.ts';
import { findOrderId } from '../orders/find-order.ts';
import { readParams, readValue } from '../orders/order-input.ts';
import { withOneKey } from '../orders/place-order.ts';
import { showEnd } from '../orders/show-end.ts';
import { watchOrder } from '../orders/watch-order.ts';
import { collect } from './run.ts';
import { ORDER, type CommandTools } from './tools.ts';

interface RerunOptions {
  from?: string;
  input?: string;
  param: string[];
  dryRun?: boolean;
  watch?: boolean;
}

/** `connecta orders retry|rerun`: the two ways to run an order again. */
export function addAgain(orders: Command, tools: CommandTools): void {
  orders
    .command('retry')
    .description('take a failed order up again: redo what failed, keep what completed')
    .argument('<order>', ORDER)
    .option('-w, --watch', 'follow it to its end')
    .action((order: string, options: { watch?: boolean }) => retry(order, options, tools));
  orders
    .command('rerun')
    .description('run an ended order again as a new one; steps in which nothing changed keep their results')
    .argument('<order>', ORDER)
    .option('--from <step>', 'this step and everything behind it run in any case')
    .option('-i, --input <json>', 'another input: JSON, @file, or - for standard input')
    .option('-p, --param <name=value>', 'another value of a parameter (again for more)', collect, [])
    .option('--dry-run', 'only tell what would run, and why')
    .option('-w, --watch', 'follow it to its end')
    .action((order: string, options: RerunOptions) => rerun(order, options, tools));
}

async function retry(text: string, { watch }: { watch?: boolean }, { session, ended }: CommandTools): Promise<void> {
  const { api, print } = session;
  const id = await findOrderId(api, text);
  const retried = await api.take(api.client.POST('/v1/orders/{id}/retry', { params: { path: { id } } }));
  if (watch) {
    ended(showEnd(session, await watchOrder(session, api, id)));
    return;
  }
  print.data(retried, (style) => `order ${style.strong(id)} tries again: ${retried.retried.join(', ')}`);
}

async function rerun(text: string, options: RerunOptions, { session, ended }: CommandTools): Promise<void> {
  const { api, print } = session;
  const id = await findOrderId(api, text);
  const params = readParams(options.param);
  const body: RerunRequest = {
    dryRun: options.dryRun ?? false,
    ...(options.from === undefined ? {} : { from: options.from }),
    ...(params ? { params } : {}),
    ...(options.input === undefined ? {} : { input: await readValue(options.input, '--input', session.around) }),
  };
  const answer = await withOneKey((key) =>
    api.take(
      api.client.POST('/v1/orders/{id}/rerun', {
        params: { path: { id }, header: { 'Idempotency-Key': key } },
        body,
      }),
    ),
  );
  if ('steps' in answer) {
    print.data(answer, (style) => planText(answer, { style, width: print.width }));
    return;
  }
  if (options.watch) {
    ended(showEnd(session, await watchOrder(session, api, answer.id)));
    return;
  }
  print.data(answer, (style) => `order ${style.strong(answer.id)} runs ${id} again`);
  if (print.format === 'text') print.note(`watch it: connecta orders watch ${answer.id}`);
}

function planText({ steps }: RerunPlan, options: { style: Style; width: number }): string {
  const { style } = options;
  const words = { reuse: 'kept', cached: 'cached', recompute: 'runs', unknown: 'shows later' };
  const paint = { reuse: style.good, cached: style.good, recompute: style.active, unknown: style.faint };
  return table(
    [{ title: 'STEP', keep: true }, { title: 'DECISION', keep: true }, { title: 'BECAUSE' }],
    Object.entries(steps).map(([step, { decision, because }]) => [
      step,
      { text: words[decision], paint: paint[decision] },
      because.length === 0 ? 'nothing changed' : because.map(({ message }) => message).join('; '),
    ]),
    options,
  );
}
