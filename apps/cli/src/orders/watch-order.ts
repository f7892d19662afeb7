import type { Api } from '../api/api.ts';
import type { Order } from '../api/shapes.ts';
import { CliError, EXIT } from '../failures.ts';
import { LiveRegion, bar } from '../output/live-region.ts';
import { paintState, type Style } from '../output/style.ts';
import { spanText } from '../output/value-text.ts';
import type { Session } from '../session.ts';
import { orderEvents, type OrderEvent } from './order-events.ts';

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const BAR_COLUMNS = 24;
/** What a person may want to know, or do, about a step that waits. */
const WAITS: Readonly<Record<string, string>> = {
  approval: 'for a decision: connecta decide',
  callback: 'for a callback',
  time: 'for its time',
  order: 'for an order of its own',
};
const ENDED_JOB = new Set(['completed', 'error', 'skipped', 'cancelled', 'blocked']);

/** How far one step is, as its events tell it. */
interface StepView {
  state: string;
  attempt: number;
  since: number;
  /** How far the list of a step is that runs once for each item. */
  items: { done: number; total: number; failed: number } | undefined;
  detail: string;
}

/** True when nothing more will happen to an order in this state. */
export function isOver(state: string): boolean {
  return state === 'completed' || state === 'failed' || state === 'cancelled';
}

/**
 * Follows an order to its end: on a terminal as lines that change, elsewhere a line an event. Gives the whole order.
 * Ctrl-C leaves the order running and says how to go on.
 */
export async function watchOrder(session: Session, api: Api, orderId: string): Promise<Order> {
  const read = (): Promise<Order> => api.take(api.client.GET('/v1/orders/{id}', { params: { path: { id: orderId } } }));
  const first = await read();
  if (isOver(first.state)) return first;
  const view = new WatchedOrder(first, session.print.style);
  const region = session.print.live ? new LiveRegion(session.print.out, () => view.lines(Date.now())) : undefined;
  region?.begin();
  try {
    for await (const event of orderEvents(api, orderId, {
      interrupted: session.interrupted,
      lost: (error) => view.lost(error.message),
    })) {
      view.apply(event);
      if (region) region.changed();
      else session.print.progress(eventLine(event, session.print.style));
    }
  } catch (error) {
    region?.end(true);
    if (error instanceof CliError && error.exitCode === EXIT.interrupted) throw left(orderId);
    throw error;
  }
  region?.end(false);
  return read();
}

function left(orderId: string): CliError {
  return new CliError(EXIT.interrupted, `The order goes on without a watcher.`, [
    `watch again:  connecta orders watch ${orderId}`,
    `end it:       connecta orders cancel ${orderId}`,
  ]);
}

/** What is known of an order that is watched, and how that looks. */
class WatchedOrder {
  readonly #id: string;
  readonly #style: Style;
  readonly #begun: number;
  readonly #steps = new Map<string, StepView>();
  #state: string;
  #lost: string | undefined;

  constructor(order: Order, style: Style) {
    this.#id = order.id;
    this.#style = style;
    this.#state = order.state;
    this.#begun = Date.parse(order.createdAt);
    for (const [step, { state }] of Object.entries(order.jobs)) this.#steps.set(step, viewOf(state, this.#begun));
  }

  apply(event: OrderEvent): void {
    this.#lost = undefined;
    if (event.type === 'order') this.#state = event.state ?? this.#state;
    if (event.step === undefined) return;
    if (event.type === 'items') this.#countItems(event.step, event);
    if (event.state === undefined) return;
    const view = this.#steps.get(event.step) ?? viewOf(event.state, Date.parse(event.at));
    this.#steps.set(event.step, view);
    if (event.item !== undefined && event.item > 0) return;
    if (event.state === 'started') view.since = Date.parse(event.at);
    view.state = event.state;
    view.attempt = event.attempt ?? view.attempt;
    view.detail = event.error
      ? `${event.error.code}: ${event.error.message}`
      : (event.because?.join(', ') ?? WAITS[event.waitsFor ?? ''] ?? '');
  }

  #countItems(step: string, { at, total = 0, done = 0, failed = 0 }: OrderEvent): void {
    const view = this.#steps.get(step) ?? viewOf('waiting', Date.parse(at));
    this.#steps.set(step, view);
    view.items = { done, total, failed };
  }

  lost(reason: string): void {
    this.#lost = reason;
  }

  lines(now: number): string[] {
    const style = this.#style;
    const done = [...this.#steps.values()].filter(({ state }) => ENDED_JOB.has(state)).length;
    const total = Math.max(1, this.#steps.size);
    const width = Math.max(...[...this.#steps.keys()].map((name) => name.length), 4);
    const head = `${style.strong(`order ${this.#id}`)}  ${paintState(style, this.#state)}  ${spanText(now - this.#begun)}`;
    return [
      head,
      `${style.active(bar(done / total, BAR_COLUMNS))} ${done} of ${this.#steps.size} steps`,
      ...[...this.#steps].map(([name, view]) => this.#stepLine(name.padEnd(width), view, now)),
      ...(this.#lost === undefined ? [] : [style.warn(`connection lost, trying again: ${this.#lost}`)]),
    ];
  }

  #stepLine(name: string, view: StepView, now: number): string {
    const style = this.#style;
    const attempt = view.attempt > 1 ? style.warn(` attempt ${view.attempt}`) : '';
    const clock = view.state === 'started' ? style.faint(` ${spanText(now - view.since)}`) : '';
    const detail = view.detail === '' ? '' : style.faint(` ${view.detail}`);
    return `  ${markOf(view.state, style, now)} ${name}  ${paintState(style, view.state)}${attempt}${clock}${itemsText(view)}${detail}`;
  }
}

const viewOf = (state: string, since: number): StepView => ({ state, attempt: 1, since, items: undefined, detail: '' });

function itemsText({ items }: StepView): string {
  if (!items || items.total === 0) return '';
  const failed = items.failed > 0 ? `, ${items.failed} failed` : '';
  return ` ${bar(items.done / items.total, 10)} ${items.done} of ${items.total} items${failed}`;
}

function markOf(state: string, style: Style, now: number): string {
  switch (state) {
    case 'completed':
      return style.good('✓');
    case 'error':
      return style.bad('✗');
    case 'started':
      return style.active(SPINNER[Math.floor(now / 100) % SPINNER.length] ?? '·');
    case 'skipped':
    case 'blocked':
    case 'cancelled':
      return style.warn('–');
    default:
      return style.faint('·');
  }
}

/** One event as a line: when, what, how it went. */
export function eventLine(event: OrderEvent, style: Style): string {
  const time = style.faint(event.at.slice(11, 23));
  if (event.type === 'order') return `${time} order ${paintState(style, event.state ?? '')}${reason(event)}`;
  if (event.type === 'items') {
    return `${time} ${event.step ?? ''} ${event.done ?? 0} of ${event.total ?? 0} items`;
  }
  const item = event.item !== undefined && event.item > 0 ? `[${event.item}]` : '';
  const attempt = event.attempt !== undefined && event.attempt > 1 ? ` (attempt ${event.attempt})` : '';
  return `${time} ${event.step ?? ''}${item} ${paintState(style, event.state ?? '')}${attempt}${reason(event)}`;
}

function reason({ error, because }: OrderEvent): string {
  if (error) return `: ${error.code}: ${error.message}`;
  return because && because.length > 0 ? ` because of ${because.join(', ')}` : '';
}
