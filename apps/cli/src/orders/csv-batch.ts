import { setTimeout as sleep } from 'node:timers/promises';
import type { Order, OrderRequest } from '../api/shapes.ts';
import { CliError, EXIT, ProblemError } from '../failures.ts';
import { LiveRegion, bar } from '../output/live-region.ts';
import type { Session } from '../session.ts';
import { readLocalFile } from '../uploads/local-file.ts';
import { sendLocalFile } from '../uploads/send-file.ts';
import type { LineKeys, LineOutcome } from './csv-lines.ts';
import type { CsvOrder } from './csv.ts';
import { isOver } from './watch-order.ts';

/** Calls at a time: the gateway writes orders that arrive together in one insert. */
const CALLS_AT_ONCE = 16;
const PAUSE_MS = { first: 100, most: 2_000 };
/** So long nothing but broken calls, and it is told how far the file is. */
const PATIENCE_MS = 120_000;

/**
 * The orders of one file: to place → open → over. A call that the gateway's absence broke is made again, each order under
 * its own key; whatever else goes wrong is the outcome of its line.
 */
export class CsvBatch {
  readonly #session: Session;
  readonly #base: OrderRequest;
  readonly #keys: LineKeys;
  readonly #toPlace: CsvOrder[];
  readonly #open = new Map<string, CsvOrder>();
  readonly #over: LineOutcome[] = [];
  readonly #total: number;
  #answeredAt = Date.now();
  /** Somebody answered at the address. */
  #seen = false;
  #stopped: CliError | undefined;

  constructor(session: Session, order: { base: OrderRequest; keys: LineKeys; lines: readonly CsvOrder[] }) {
    this.#session = session;
    this.#base = order.base;
    this.#keys = order.keys;
    this.#toPlace = [...order.lines];
    this.#total = order.lines.length;
  }

  /** Orders that are placed and not over. */
  get open(): number {
    return this.#open.size;
  }

  /** Why the rest of the file was given up. */
  get stopped(): CliError | undefined {
    return this.#stopped;
  }

  async run(atOnce: number): Promise<LineOutcome[]> {
    const { print, interrupted } = this.#session;
    const region = print.live ? new LiveRegion(print.out, () => [this.#line()]) : undefined;
    region?.begin();
    let pause = PAUSE_MS.first;
    try {
      while ((this.#toPlace.length > 0 || this.#open.size > 0) && !interrupted.aborted && !this.#stopped) {
        await this.#each(this.#toPlace.splice(0, atOnce - this.#open.size), (line) => this.#place(line));
        const before = this.#over.length;
        await this.#each([...this.#open.keys()], (id) => this.#look(id));
        pause = this.#over.length > before ? PAUSE_MS.first : Math.min(pause * 1.5, PAUSE_MS.most);
        region?.changed();
        if (this.#open.size + this.#toPlace.length > 0 && !this.#stopped) {
          await sleep(pause, undefined, { signal: interrupted }).catch(() => undefined);
        }
      }
    } finally {
      region?.end(false);
    }
    const unfinished = [...this.#open].map(([orderId, { line }]): LineOutcome => ({ line, orderId, state: 'open' }));
    const unplaced = this.#toPlace.map(({ line }): LineOutcome => ({ line, state: 'not placed' }));
    return [...this.#over, ...unfinished, ...unplaced].sort((a, b) => a.line - b.line);
  }

  async #each<Thing>(things: readonly Thing[], work: (thing: Thing) => Promise<void>): Promise<void> {
    const queue = things.values();
    const run = async (): Promise<void> => {
      for (const thing of queue) await work(thing);
    };
    await Promise.all(Array.from({ length: CALLS_AT_ONCE }, run));
  }

  async #place(line: CsvOrder): Promise<void> {
    if (this.#stopped || this.#session.interrupted.aborted) {
      this.#toPlace.push(line);
      return;
    }
    const { api } = this.#session;
    try {
      const { body, key } = await this.#requestOf(line);
      const header = { 'Idempotency-Key': key };
      const { id } = await api.take(api.client.POST('/v1/orders', { params: { header }, body }));
      this.#answered();
      this.#open.set(id, line);
    } catch (error) {
      if (this.#mayPass(error)) this.#toPlace.push(line);
      else this.#over.push({ line: line.line, state: 'refused', error: errorOf(error) });
    }
  }

  async #requestOf(line: CsvOrder): Promise<{ body: OrderRequest; key: string }> {
    const { input, file: path, params } = line;
    const session = this.#session;
    const file = path === undefined ? undefined : await readLocalFile(path, session.around.cwd);
    const key = this.#keys.keyOf(line, file?.sha256);
    const { client } = this.#base;
    const blobId = file && (await sendLocalFile(session, file, { client, quiet: true, idempotencyKey: key }));
    const body = {
      ...this.#base,
      ...(input === undefined ? {} : { input: input as OrderRequest['input'] }),
      ...(blobId === undefined ? {} : { blobId }),
      ...(params ? { params: { ...this.#base.params, ...params } } : {}),
    };
    return { body, key };
  }

  async #look(id: string): Promise<void> {
    const { api, interrupted } = this.#session;
    if (this.#stopped || interrupted.aborted) return;
    try {
      const order = await api.take(api.client.GET('/v1/orders/{id}', { params: { path: { id } } }));
      this.#answered();
      if (isOver(order.state)) this.#end(order);
    } catch (error) {
      if (this.#mayPass(error)) return;
      this.#over.push({ line: this.#lineOf(id), orderId: id, state: 'unknown', error: errorOf(error) });
      this.#open.delete(id);
    }
  }

  /**
   * Whether the same call may do later; notes when none will. A gateway that has answered before comes back; one that
   * nobody has seen, and a credential that is refused, stop the file at once.
   */
  #mayPass(error: unknown): boolean {
    if (this.#session.interrupted.aborted) return true;
    if (!(error instanceof CliError)) {
      // A file that cannot be read after all.
      if (error instanceof Error && 'syscall' in error) return false;
      throw error;
    }
    if (error.exitCode === EXIT.notAllowed) {
      this.#stopped ??= error;
      return true;
    }
    if (error.exitCode !== EXIT.unreachable && error.exitCode !== EXIT.unavailable) return false;
    const nobody = !this.#seen && error.exitCode === EXIT.unreachable;
    if (nobody || Date.now() - this.#answeredAt > PATIENCE_MS) this.#stopped ??= error;
    return true;
  }

  #answered(): void {
    this.#answeredAt = Date.now();
    this.#seen = true;
  }

  #lineOf(id: string): number {
    return this.#open.get(id)?.line ?? 0;
  }

  #end(order: Order): void {
    const { id: orderId, state, input, result, error, createdAt, finishedAt } = order;
    this.#over.push({
      ...{ line: this.#lineOf(orderId), orderId, state, input },
      ...(result === undefined ? {} : { result }),
      ...(error ? { error: { code: error.code, message: error.message } } : {}),
      ...(finishedAt ? { tookMs: Date.parse(finishedAt) - Date.parse(createdAt) } : {}),
    });
    this.#open.delete(orderId);
  }

  #line(): string {
    const failed = this.#over.filter(({ state }) => state !== 'completed').length;
    const bad = failed > 0 ? `, ${failed} not completed` : '';
    return `${bar(this.#over.length / Math.max(1, this.#total), 30)} ${this.#over.length} of ${this.#total} orders, ${this.#open.size} open${bad}`;
  }
}

function errorOf(error: unknown): { code: string; message: string } {
  if (error instanceof ProblemError) return { code: error.problem.code, message: error.message };
  return { code: 'unreadable', message: (error as Error).message };
}
