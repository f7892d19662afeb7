import { setTimeout as sleep } from 'node:timers/promises';
import type { Order, OrderRequest } from '../api/shapes.ts';
import { CliError, EXIT, type ExitCode } from '../failures.ts';
import { LiveRegion, bar } from '../output/live-region.ts';
import { paintState } from '../output/style.ts';
import { table } from '../output/table.ts';
import { shortValue, spanText } from '../output/value-text.ts';
import type { Session } from '../session.ts';
import { sendFile } from '../uploads/send-file.ts';
import { csvOrder, parseCsv, type CsvOrder } from './csv.ts';
import { readAll, readText } from './order-input.ts';
import { placeOrders } from './place-order.ts';
import { isOver } from './watch-order.ts';

/** Asked for at a time: each is a request of its own. */
const ASKED_AT_ONCE = 8;
const PAUSE_MS = { first: 100, most: 2_000 };

/** How one line of the file came out. */
interface LineOutcome {
  line: number;
  orderId?: string;
  state: string;
  input?: unknown;
  result?: unknown;
  error?: { code: string; message: string };
  tookMs?: number;
}

/**
 * Places an order for each line of a CSV file, at most `atOnce` of them open at a time, waits for all, and prints how each
 * ended. Ctrl-C leaves the placed ones running and places no more.
 */
export async function runCsv(
  session: Session,
  { base, csv, atOnce }: { base: OrderRequest; csv: string; atOnce: number },
): Promise<ExitCode> {
  const text = csv === '-' ? await readAll(session.around.stdin) : await readText(csv, session.around.cwd);
  const { columns, rows } = parseCsv(text);
  const lines = rows.map((row) => csvOrder(columns, row));
  const batch = new Batch(session, base, lines);
  const outcomes = await batch.run(atOnce);
  const { print } = session;
  print.data(outcomes, (style) =>
    [
      table(
        [
          { title: 'LINE', keep: true },
          { title: 'ORDER', keep: true },
          { title: 'STATE', keep: true },
          { title: 'TOOK', keep: true },
          { title: 'IN → OUT' },
        ],
        outcomes.map((outcome) => [
          String(outcome.line),
          outcome.orderId ?? '–',
          { text: outcome.state, paint: (state: string) => paintState(style, state) },
          outcome.tookMs === undefined ? '' : spanText(outcome.tookMs),
          outcome.error
            ? `${outcome.error.code}: ${outcome.error.message}`
            : `${shortValue(outcome.input)} → ${shortValue(outcome.result)}`,
        ]),
        { width: print.width, style },
      ),
      '',
      summaryText(outcomes),
    ].join('\n'),
  );
  if (session.interrupted.aborted) {
    throw new CliError(EXIT.interrupted, `${batch.open} orders go on without a watcher; no more are placed.`, [
      'see them: connecta orders list',
    ]);
  }
  return outcomes.every(({ state }) => state === 'completed') ? EXIT.ok : EXIT.failed;
}

function summaryText(outcomes: readonly LineOutcome[]): string {
  const counts = Map.groupBy(outcomes, ({ state }) => state);
  return `${outcomes.length} lines: ${[...counts].map(([state, list]) => `${list.length} ${state}`).join(', ')}`;
}

/** The orders of one file: to place → open → over. */
class Batch {
  readonly #session: Session;
  readonly #base: OrderRequest;
  readonly #toPlace: CsvOrder[];
  readonly #open = new Map<string, CsvOrder>();
  readonly #over: LineOutcome[] = [];
  readonly #total: number;

  constructor(session: Session, base: OrderRequest, lines: readonly CsvOrder[]) {
    this.#session = session;
    this.#base = base;
    this.#toPlace = [...lines];
    this.#total = lines.length;
  }

  get open(): number {
    return this.#open.size;
  }

  async run(atOnce: number): Promise<LineOutcome[]> {
    const { print, interrupted } = this.#session;
    const region = print.live ? new LiveRegion(print.out, () => [this.#line()]) : undefined;
    region?.begin();
    let pause = PAUSE_MS.first;
    try {
      while ((this.#toPlace.length > 0 || this.#open.size > 0) && !interrupted.aborted) {
        const room = atOnce - this.#open.size;
        // Half a window at a time: calls for one order each would cost more than the orders.
        if (this.#toPlace.length > 0 && room >= Math.min(this.#toPlace.length, Math.ceil(atOnce / 2))) {
          await this.#place(this.#toPlace.splice(0, room));
        }
        pause = (await this.#look()) ? PAUSE_MS.first : Math.min(pause * 1.5, PAUSE_MS.most);
        region?.changed();
        if (this.#open.size > 0) await sleep(pause, undefined, { signal: interrupted }).catch(() => undefined);
      }
    } catch (error) {
      if (!interrupted.aborted) throw error;
    } finally {
      region?.end(false);
    }
    const unfinished = [...this.#open].map(([orderId, { line }]): LineOutcome => ({ line, orderId, state: 'open' }));
    const unplaced = this.#toPlace.map(({ line }): LineOutcome => ({ line, state: 'not placed' }));
    return [...this.#over, ...unfinished, ...unplaced].sort((a, b) => a.line - b.line);
  }

  async #place(lines: readonly CsvOrder[]): Promise<void> {
    const requests: OrderRequest[] = [];
    for (const line of lines) requests.push(await this.#requestOf(line));
    const outcomes = await placeOrders(this.#session.api, requests);
    for (const [index, outcome] of outcomes.entries()) {
      const line = lines[index];
      if (!line) continue;
      if (outcome.id !== undefined) this.#open.set(outcome.id, line);
      else {
        const { code = 'refused', detail, title = '' } = outcome.problem ?? {};
        this.#over.push({ line: line.line, state: 'refused', error: { code, message: detail ?? title } });
      }
    }
  }

  async #requestOf({ input, file, params }: CsvOrder): Promise<OrderRequest> {
    const blobId =
      file === undefined ? undefined : await sendFile(this.#session, file, { client: this.#base.client, quiet: true });
    return {
      ...this.#base,
      ...(input === undefined ? {} : { input: input as OrderRequest['input'] }),
      ...(blobId === undefined ? {} : { blobId }),
      ...(params ? { params: { ...this.#base.params, ...params } } : {}),
    };
  }

  /** Looks at the open orders; true when one of them is over. */
  async #look(): Promise<boolean> {
    const { api } = this.#session;
    const ids = [...this.#open.keys()];
    let ended = false;
    for (let at = 0; at < ids.length && !this.#session.interrupted.aborted; at += ASKED_AT_ONCE) {
      const orders = await Promise.all(
        ids
          .slice(at, at + ASKED_AT_ONCE)
          .map((id) => api.take(api.client.GET('/v1/orders/{id}', { params: { path: { id } } }))),
      );
      for (const order of orders.filter(({ state }) => isOver(state))) {
        ended = true;
        this.#end(order);
      }
    }
    return ended;
  }

  #end(order: Order): void {
    const line = this.#open.get(order.id)?.line ?? 0;
    this.#open.delete(order.id);
    const { id: orderId, state, input, result, error, createdAt, finishedAt } = order;
    this.#over.push({
      ...{ line, orderId, state, input },
      ...(result === undefined ? {} : { result }),
      ...(error ? { error: { code: error.code, message: error.message } } : {}),
      ...(finishedAt ? { tookMs: Date.parse(finishedAt) - Date.parse(createdAt) } : {}),
    });
  }

  #line(): string {
    const failed = this.#over.filter(({ state }) => state !== 'completed').length;
    const bad = failed > 0 ? `, ${failed} not completed` : '';
    return `${bar(this.#over.length / Math.max(1, this.#total), 30)} ${this.#over.length} of ${this.#total} orders, ${this.#open.size} open${bad}`;
  }
}
