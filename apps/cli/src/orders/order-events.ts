import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from '../api/api.ts';
import { problemOf } from '../api/api.ts';
import { CliError, EXIT, UnreachableError } from '../failures.ts';

/** An event of an order's history, as fe-api streams it. */
export interface OrderEvent {
  readonly number: number;
  readonly type: string;
  readonly at: string;
  readonly state?: string;
  readonly step?: string;
  readonly item?: number;
  readonly attempt?: number;
  readonly instance?: string;
  /** What a step that waits waits for. */
  readonly waitsFor?: string;
  /** How far a list of items is. */
  readonly total?: number;
  readonly done?: number;
  readonly failed?: number;
  readonly because?: readonly string[];
  readonly error?: { code: string; message: string };
}

/** How long a gateway may be away before a watcher gives up. */
const PATIENCE_MS = 120_000;
const PAUSE_MS = { first: 500, most: 5_000 };
/** The gateway sends a comment every 15 s: a stream that is silent for longer is dead. */
const SILENCE_MS = 45_000;
const ENDED = new Set(['completed', 'failed', 'cancelled']);

/**
 * The events of an order until it has ended; each comes once and in order, also over broken connections and restarts of
 * the gateway.
 *
 * @throws CliError `interrupted` after Ctrl-C; UnreachableError when the gateway stays away.
 */
export async function* orderEvents(
  api: Api,
  orderId: string,
  options: { interrupted: AbortSignal; lost?: (error: Error) => void },
): AsyncGenerator<OrderEvent> {
  const { interrupted } = options;
  let last = 0;
  let over = false;
  let lostAt: number | undefined;
  let pause = PAUSE_MS.first;
  for (;;) {
    try {
      const end = new AbortController();
      const watchdog = new Watchdog(end);
      try {
        const response = await connect(api, orderId, { last, signal: AbortSignal.any([interrupted, end.signal]) });
        if (response.status === 204) return;
        lostAt = undefined;
        pause = PAUSE_MS.first;
        for await (const event of eventsOf(response, () => watchdog.heard())) {
          if (event.number <= last) continue;
          last = event.number;
          if (event.type === 'order') over = ENDED.has(event.state ?? '');
          yield event;
        }
        if (over) return;
      } finally {
        watchdog.stop();
        // A consumer that leaves, leaves the connection too.
        end.abort();
      }
    } catch (error) {
      if (interrupted.aborted) throw new CliError(EXIT.interrupted, 'Interrupted.');
      const cause = error instanceof Error ? error : new Error(String(error));
      if (cause instanceof CliError && cause.exitCode !== EXIT.unreachable && cause.exitCode !== EXIT.unavailable)
        throw cause;
      lostAt ??= Date.now();
      if (Date.now() - lostAt > PATIENCE_MS)
        throw cause instanceof CliError ? cause : new UnreachableError(api.url, cause);
      options.lost?.(cause);
    }
    await sleep(pause, undefined, { signal: interrupted }).catch(() => undefined);
    if (interrupted.aborted) throw new CliError(EXIT.interrupted, 'Interrupted.');
    pause = Math.min(pause * 2, PAUSE_MS.most);
  }
}

/** Ends a stream that says nothing any more. */
class Watchdog {
  readonly #timer: NodeJS.Timeout;

  constructor(end: AbortController) {
    this.#timer = setTimeout(() => end.abort(new Error('the stream fell silent')), SILENCE_MS);
  }

  heard(): void {
    this.#timer.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

async function connect(api: Api, orderId: string, options: { last: number; signal: AbortSignal }): Promise<Response> {
  const headers = options.last > 0 ? { 'last-event-id': String(options.last) } : {};
  const response = await api.raw(`/v1/orders/${orderId}/events`, { headers }, options.signal);
  if (response.ok) return response;
  throw problemOf(response, await response.json().catch(() => undefined));
}

/** The events in a stream of an order's history. */
export async function* eventsOf(response: Response, heard: () => void = () => undefined): AsyncGenerator<OrderEvent> {
  for await (const { id, data } of messagesOf(response, heard)) {
    const number = Number(id);
    if (Number.isInteger(number)) yield { ...(JSON.parse(data) as Omit<OrderEvent, 'number'>), number };
  }
}

/** The messages of a stream of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
export async function* messagesOf(
  response: Response,
  heard: () => void = () => undefined,
): AsyncGenerator<{ id: string; data: string }> {
  if (!response.body) return;
  let rest = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    heard();
    const messages = (rest + chunk).split('\n\n');
    rest = messages.pop() ?? '';
    for (const message of messages) {
      const fields = fieldsOf(message);
      const data = fields.get('data');
      if (data !== undefined) yield { id: fields.get('id') ?? '', data };
    }
  }
}

function fieldsOf(message: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of message.split('\n')) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).replace(/^ /, '');
    fields.set(name, fields.has(name) ? `${fields.get(name) ?? ''}\n${value}` : value);
  }
  return fields;
}
