import type { Api } from '../api/api.ts';
import type { OrderSummary } from '../api/shapes.ts';
import { CliError, EXIT, UsageError } from '../failures.ts';

const WHOLE_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const ID_START = /^[0-9a-f]{1,8}(?:-[0-9a-f-]*)?$/;
/** Shorter prefixes stand for days: more orders than anybody wants to look through. */
const SHORTEST_PREFIX = 6;
/** The gateway makes the id a moment before the database notes the time, each by a clock of its own. */
const CLOCK_LEEWAY_MS = 60_000;
const MOST_LOOKED_THROUGH = 5_000;
const PAGE = 500;

/** The id that a person meant: a whole one, `@latest`, or a prefix that only one order has. */
export async function findOrderId(api: Api, text: string): Promise<string> {
  const wanted = text.toLowerCase();
  if (wanted === '@latest') return latestOrderId(api);
  if (WHOLE_ID.test(wanted)) return wanted;
  if (!ID_START.test(wanted) || wanted.length > 36) {
    throw new UsageError(`'${text}' is no order id.`, ['Give an id, the beginning of one, or @latest.']);
  }
  if (wanted.replaceAll('-', '').length < SHORTEST_PREFIX) {
    throw new UsageError(`'${text}' is too short: give ${SHORTEST_PREFIX} characters of the id at least.`);
  }
  return byPrefix(api, wanted);
}

/** The newest order that the caller itself placed. */
async function latestOrderId(api: Api): Promise<string> {
  const me = await api.take(api.client.GET('/v1/me'));
  const page = (cursor: { cursor?: string }) =>
    api.client.GET('/v1/orders', { params: { query: { limit: PAGE, ...cursor } } });
  for await (const order of api.each<OrderSummary>(page, MOST_LOOKED_THROUGH)) {
    if (me.role === 'client' || isBy(me.name, order.createdBy)) return order.id;
  }
  throw new CliError(EXIT.notFound, `${me.name} has placed no order among the newest ${MOST_LOOKED_THROUGH}.`);
}

/** Orders note their maker as `key:name` or `user:name`. */
const isBy = (name: string, createdBy: string | undefined): boolean =>
  createdBy === name || createdBy === `key:${name}` || createdBy === `user:${name}`;

/** Ids are UUIDv7: their first 48 bits are the time, so a prefix names the time in which to look. */
async function byPrefix(api: Api, prefix: string): Promise<string> {
  const { from, to } = timesOf(prefix);
  const page = (cursor: { cursor?: string }) =>
    api.client.GET('/v1/orders', {
      params: { query: { limit: PAGE, createdAfter: from, createdBefore: to, ...cursor } },
    });
  const found: OrderSummary[] = [];
  let seen = 0;
  for await (const order of api.each<OrderSummary>(page, MOST_LOOKED_THROUGH)) {
    seen += 1;
    if (order.id.startsWith(prefix)) found.push(order);
  }
  const [first] = found;
  if (found.length > 1) throw ambiguous(prefix, found);
  // One that was found may not be the only one when not all were seen.
  if (seen >= MOST_LOOKED_THROUGH)
    throw new UsageError(`'${prefix}' could be one of too many orders: give more of the id.`);
  if (!first) throw new CliError(EXIT.notFound, `No order's id begins with '${prefix}'.`);
  return first.id;
}

/** The times between which an id with this prefix was made. */
export function timesOf(prefix: string): { from: string; to: string } {
  const digits = prefix.replaceAll('-', '').slice(0, 12);
  const from = Number.parseInt(digits.padEnd(12, '0'), 16);
  const to = Number.parseInt(digits.padEnd(12, 'f'), 16);
  // Postgres and JavaScript end elsewhere; no order is older or younger than that.
  const iso = (ms: number): string => new Date(Math.min(Math.max(ms, 0), LAST_TIME)).toISOString();
  return { from: iso(from - CLOCK_LEEWAY_MS), to: iso(to + CLOCK_LEEWAY_MS) };
}

const LAST_TIME = Date.parse('9999-12-31T23:59:59.000Z');

function ambiguous(prefix: string, found: readonly OrderSummary[]): UsageError {
  const few = found.slice(0, 5).map(({ id, state }) => `${id}  ${state}`);
  const more = found.length > few.length ? [`and ${found.length - few.length} more`] : [];
  return new UsageError(`${found.length} orders begin with '${prefix}'; give more of the id:`, [...few, ...more]);
}
