import { InvalidArgumentError, type Command } from 'commander';
import type { Order, OrderSummary } from '../api/shapes.ts';
import { findOrderId } from '../orders/find-order.ts';
import { ordersText } from '../orders/order-text.ts';
import { showEnd } from '../orders/show-end.ts';
import { watchOrder } from '../orders/watch-order.ts';
import { ORDER, revisionOf, type CommandTools } from './tools.ts';
import { addAgain } from './orders-again.ts';
import { collect, countOf } from './run.ts';

const STATES = ['accepted', 'active', 'completed', 'failed', 'cancelled'] as const;
type State = (typeof STATES)[number];

interface ListOptions {
  state: string[];
  client?: string;
  workflow?: string;
  since?: string;
  profile?: string;
  revision?: number;
  limit: number;
}

/** `connecta orders …`. */
export function addOrders(program: Command, tools: CommandTools): void {
  const orders = program.command('orders').description('look at orders and steer them');
  orders
    .command('list')
    .description('the newest orders')
    .option('-s, --state <state>', `only these: ${STATES.join(', ')} (again for more)`, collect, [])
    .option('--client <name>', "only this client's")
    .option('--workflow <name>', 'only of this workflow')
    .option('--since <time>', 'only younger ones: 10m, 2h, 3d or an ISO time', sinceOf)
    .option('--profile <task>', 'only those in which a job ran with this profile (type/name or its id)')
    .option('--revision <n>', 'with --profile: this revision alone', revisionOf)
    .option('-n, --limit <n>', 'so many at most', countOf, 20)
    .action((options: ListOptions) => list(options, tools));
  orders
    .command('get')
    .description('the whole trace of an order')
    .argument('<order>', ORDER)
    .action((order: string) => get(order, tools));
  orders
    .command('watch')
    .description('follow an order to its end; exit code 1 when it fails')
    .argument('<order>', ORDER)
    .action((order: string) => watch(order, tools));
  orders
    .command('cancel')
    .description('end an order for good')
    .argument('<order...>', ORDER)
    .action((ids: string[]) => cancel(ids, tools));
  addAgain(orders, tools);
}

async function list(options: ListOptions, { session }: CommandTools): Promise<void> {
  const { api, print } = session;
  const states = options.state.flatMap((text) => text.split(',')).map(stateOf);
  const query = {
    limit: Math.min(options.limit, 500),
    ...(states.length > 0 ? { state: states } : {}),
    ...(options.client ? { client: options.client } : {}),
    ...(options.workflow ? { workflow: options.workflow } : {}),
    ...(options.profile ? { profile: options.profile } : {}),
    ...(options.revision ? { revision: options.revision } : {}),
    ...(options.since ? { createdAfter: options.since } : {}),
  };
  const orders = await api.list<OrderSummary>(
    (cursor) => api.client.GET('/v1/orders', { params: { query: { ...query, ...cursor } } }),
    options.limit,
  );
  print.data(orders, (style) => ordersText(orders, { style, width: print.width, now: Date.now() }));
}

async function get(text: string, { session }: CommandTools): Promise<void> {
  const { api } = session;
  const id = await findOrderId(api, text);
  showEnd(session, await api.take(api.client.GET('/v1/orders/{id}', { params: { path: { id } } })));
}

async function watch(text: string, { session, ended }: CommandTools): Promise<void> {
  const id = await findOrderId(session.api, text);
  ended(showEnd(session, await watchOrder(session, session.api, id)));
}

async function cancel(texts: readonly string[], { session }: CommandTools): Promise<void> {
  const { api, print } = session;
  const cancelled: Order[] = [];
  for (const text of texts) {
    const id = await findOrderId(api, text);
    cancelled.push(await api.take(api.client.POST('/v1/orders/{id}/cancel', { params: { path: { id } } })));
  }
  print.data(cancelled, (style) =>
    cancelled.map(({ id, state }) => `order ${style.strong(id)} is ${style.warn(state)}`).join('\n'),
  );
}

function stateOf(text: string): State {
  const state = STATES.find((known) => known === text);
  if (state) return state;
  throw new InvalidArgumentError(`A state is one of ${STATES.join(', ')}.`);
}

/** A time span back from now, or a time. */
export function sinceOf(text: string): string {
  const [, amount, unit = ''] = /^(\d+)(s|m|h|d)$/.exec(text) ?? [];
  if (amount !== undefined) return new Date(Date.now() - Number(amount) * (UNIT_MS[unit] ?? 0)).toISOString();
  const time = Date.parse(text);
  if (Number.isNaN(time))
    throw new InvalidArgumentError('It is a span (10m, 2h, 3d) or a time (2026-11-21T08:00:00Z).');
  return new Date(time).toISOString();
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
