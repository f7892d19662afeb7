import type { LogLine } from '@connecta/contracts';
import { LOG_LIMITS } from '@connecta/contracts';
import { setTimeout as sleep } from 'node:timers/promises';
import { dataOf, withRetries, type BeApi } from '../be-api/client.ts';
import type { FunctionLog } from '../function/function.ts';
import type { AttemptIdentity, LogKeeper } from '../runner/ports.ts';

/** How long lines wait for company. */
const GATHER_MS = 500;
const BATCH_LINES = 500;
/** Lines of this many attempts are on their way at once. */
const SENDERS = 4;
/** What waits in memory at most, over all attempts; what comes then is lost. */
const MAX_WAITING_LINES = 50_000;
const TRIES = 5;
const CALL_TIMEOUT_MS = 10_000;

/** The log of one attempt: `next` is the number of its next line. */
interface Pending {
  readonly attempt: AttemptIdentity;
  next: number;
  waiting: { number: number; line: LogLine }[];
  sending: boolean;
  full: boolean;
}

/**
 * Sends what functions log to be-api, in batches by attempt. States of an attempt: waiting → sending → (waiting) … →
 * full. An attempt that logs nothing is not known here.
 */
export class LogSender implements LogKeeper {
  readonly #beApi: BeApi;
  readonly #log: FunctionLog;
  readonly #known = new WeakMap<AttemptIdentity, Pending>();
  readonly #due = new Set<Pending>();
  readonly #closing = new AbortController();
  #waitingLines = 0;
  #lost = 0;
  #senders = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(beApi: BeApi, log: FunctionLog) {
    this.#beApi = beApi;
    this.#log = log;
  }

  keep(attempt: AttemptIdentity, line: LogLine): void {
    let pending = this.#known.get(attempt);
    if (!pending) {
      pending = { attempt, next: 1, waiting: [], sending: false, full: false };
      this.#known.set(attempt, pending);
    }
    if (pending.full || pending.next > LOG_LIMITS.lines + 1) return;
    const number = pending.next++;
    if (this.#waitingLines >= MAX_WAITING_LINES) {
      this.#lost++;
      return;
    }
    pending.waiting.push({ number, line });
    this.#waitingLines++;
    this.#due.add(pending);
    if (pending.waiting.length >= BATCH_LINES) this.#pump();
    else this.#timer ??= setTimeout(() => this.#pump(), GATHER_MS).unref();
  }

  /** Sends what waits, within a bound. */
  async close(withinMs = 2000): Promise<void> {
    const endMs = Date.now() + withinMs;
    while (this.#waitingLines > 0 || this.#senders > 0) {
      if (Date.now() >= endMs) break;
      this.#pump();
      await sleep(20);
    }
    clearTimeout(this.#timer);
    this.#closing.abort();
  }

  #pump(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lost > 0) this.#log.warn({ lines: this.#lost }, 'lines of functions were lost: be-api is behind');
    this.#lost = 0;
    for (const pending of this.#due) {
      if (this.#senders >= SENDERS) return;
      if (pending.sending) continue;
      this.#due.delete(pending);
      void this.#drain(pending);
    }
  }

  async #drain(pending: Pending): Promise<void> {
    this.#senders++;
    pending.sending = true;
    while (pending.waiting.length > 0 && !this.#closing.signal.aborted) {
      const batch = pending.waiting.splice(0, batchLength(pending.waiting));
      this.#waitingLines -= batch.length;
      if (!pending.full) await this.#send(pending, batch);
    }
    pending.sending = false;
    this.#senders--;
    this.#due.delete(pending);
    if (this.#due.size > 0) this.#pump();
  }

  async #send(pending: Pending, batch: Pending['waiting']): Promise<void> {
    const { jobId, lease } = pending.attempt;
    const body = { first: batch[0]?.number ?? 1, lines: batch.map(({ line }) => line) };
    const signal = this.#closing.signal;
    const call = (): Promise<{ full: boolean }> =>
      dataOf(
        this.#beApi.calls.POST('/v1/jobs/{jobId}/logs', {
          params: { path: { jobId }, header: { 'Connecta-Lease': lease } },
          body,
          signal: AbortSignal.any([signal, AbortSignal.timeout(CALL_TIMEOUT_MS)]),
        }),
      );
    try {
      const { full } = await withRetries(call, { tries: TRIES, signal });
      pending.full = full;
    } catch (err) {
      this.#log.warn({ err, jobId, lines: batch.length }, 'lines of a function could not be kept');
    }
  }
}

/** As many lines as follow each other by number, up to a batch. */
function batchLength(waiting: Pending['waiting']): number {
  let length = 1;
  while (length < Math.min(waiting.length, BATCH_LINES)) {
    if (waiting[length]?.number !== (waiting[0]?.number ?? 0) + length) break;
    length++;
  }
  return length;
}
