import type { Redis } from 'ioredis';
import { typeKeys } from '../naming.ts';
import { reportsIn } from '../reports/entry.ts';
import type { QueueOptions } from '../options.ts';
import type { EventBatch, EventReader, ReaderOptions } from '../port.ts';
import { Sleeper } from '../waiting.ts';
import { forgetReaders } from './forget-readers.ts';

const GROUP = 'orchestrator';
/** A read waits no longer than this at once, so that new worker types are seen. */
const LOOK_AGAIN_MS = 1_000;
const CLAIM_COUNT = 200;
const FORGET_EVERY_MS = 600_000;
const FORGET_IDLE_MS = 3_600_000;

/** One entry: its id and its fields, name and value in turns; null fields: deleted before it was claimed. */
type Entry = [id: string, fields: string[] | null];
interface Taken {
  workerType: string;
  id: string;
  bodies: unknown[];
}

export interface ReaderConnections {
  /** The reader's own; blocked most of the time. */
  reads: Redis;
  /** Shared with others. */
  acks: Redis;
}

/**
 * Reads the streams of all worker types as one member of their consumer groups: one XREADGROUP over all of them, which
 * answers at once when anything is there and blocks otherwise. No stream is ever trimmed: only acknowledged entries are
 * deleted.
 */
export class RedisEventReader implements EventReader {
  readonly #connections: ReaderConnections;
  readonly #prefix: string;
  readonly #reader: ReaderOptions;
  readonly #options: QueueOptions;
  readonly #sleeper = new Sleeper();
  #types: readonly string[] = [];
  #keys: string[] = [];
  #nextClaim = 0;
  #nextForget = 0;

  constructor(connections: ReaderConnections, prefix: string, reader: ReaderOptions, options: QueueOptions) {
    this.#connections = connections;
    this.#prefix = prefix;
    this.#reader = reader;
    this.#options = options;
  }

  async read({ max, blockMs }: { max: number; blockMs: number }): Promise<EventBatch> {
    const until = Date.now() + blockMs;
    let whole = false;
    while (!this.#sleeper.isStopped()) {
      const left = until - Date.now();
      try {
        if (await this.#lookForTypes()) {
          const claimed = await this.#claim();
          if (claimed) return this.#batch(claimed, false);
          const taken = await this.#take(max, left);
          // Fewer in all than one stream may give: none of them has more.
          whole = taken.length < max;
          if (taken.length > 0) return this.#batch(taken, whole);
        } else await this.#sleeper.sleep(Math.max(0, Math.min(left, 100)));
      } catch (error) {
        whole = false;
        if (this.#sleeper.isStopped()) break;
        await this.#recover(error, left);
      }
      if (Date.now() >= until) break;
    }
    return { events: [], whole, ack: () => Promise.resolve() };
  }

  close(): Promise<void> {
    // Each disconnect of a closed connection leaves a timer of two seconds behind that keeps the process from its end.
    if (this.#sleeper.isStopped()) return Promise.resolve();
    this.#sleeper.stop();
    this.#connections.reads.disconnect();
    return Promise.resolve();
  }

  /** False while there is no worker type at all. */
  async #lookForTypes(): Promise<boolean> {
    // A copy: whoever told them may change them while the groups are made.
    const types = [...this.#reader.workerTypes()];
    if (types.length === this.#types.length && types.every((type, at) => type === this.#types[at]))
      return types.length > 0;
    const keys = types.map((type) => typeKeys(this.#prefix, type).reports);
    await this.#createGroups(keys);
    this.#types = types;
    this.#keys = keys;
    return types.length > 0;
  }

  /** From the first entry on: reports may be there before the first reader is. */
  async #createGroups(keys: readonly string[]): Promise<void> {
    const pipeline = this.#connections.reads.pipeline();
    for (const key of keys) pipeline.xgroup('CREATE', key, GROUP, '0', 'MKSTREAM');
    for (const [error] of (await pipeline.exec()) ?? [])
      if (error && !error.message.startsWith('BUSYGROUP')) throw error;
  }

  async #take(max: number, leftMs: number): Promise<Taken[]> {
    const args: (string | number)[] = ['GROUP', GROUP, this.#reader.consumer, 'COUNT', max];
    if (leftMs > 0) args.push('BLOCK', Math.min(leftMs, LOOK_AGAIN_MS));
    args.push('STREAMS', ...this.#keys);
    for (let at = 0; at < this.#keys.length; at++) args.push('>');
    const reply = (await this.#connections.reads.call('XREADGROUP', ...args)) as [string, Entry[]][] | null;
    const taken: Taken[] = [];
    for (const [key, entries] of reply ?? []) this.#collect(key, entries, taken);
    return taken;
  }

  /** What a reader took and never acknowledged, now and then; null when there is none. */
  async #claim(): Promise<Taken[] | null> {
    const now = Date.now();
    if (now < this.#nextClaim) return null;
    this.#nextClaim = now + Math.min(this.#options.claimIdleMs / 3, 5_000);
    if (now >= this.#nextForget) {
      this.#nextForget = now + FORGET_EVERY_MS;
      forgetReaders(this.#connections.acks, this.#keys, GROUP, FORGET_IDLE_MS).catch(this.#options.onError);
    }
    const pipeline = this.#connections.reads.pipeline();
    for (const key of this.#keys)
      pipeline.xautoclaim(key, GROUP, this.#reader.consumer, this.#options.claimIdleMs, '0-0', 'COUNT', CLAIM_COUNT);
    const taken: Taken[] = [];
    for (const [at, [error, reply]] of ((await pipeline.exec()) ?? []).entries()) {
      if (error) throw error;
      this.#collect(this.#keys[at] ?? '', (reply as [string, Entry[]])[1], taken);
    }
    if (taken.length > 0) this.#nextClaim = 0;
    return taken.length > 0 ? taken : null;
  }

  #collect(key: string, entries: readonly Entry[], into: Taken[]): void {
    const workerType = this.#types[this.#keys.indexOf(key)];
    if (workerType === undefined) return;
    for (const [id, fields] of entries) if (fields) into.push({ workerType, id, bodies: reportsIn(fields[1]) });
  }

  #batch(taken: readonly Taken[], whole: boolean): EventBatch {
    const events: EventBatch['events'] = [];
    for (const { workerType, bodies } of taken) for (const body of bodies) events.push({ workerType, body });
    return { events, whole, ack: () => this.#ack(taken) };
  }

  async #ack(taken: readonly Taken[]): Promise<void> {
    const ids = new Map<string, string[]>();
    for (const { workerType, id } of taken) {
      const list = ids.get(workerType);
      if (list) list.push(id);
      else ids.set(workerType, [id]);
    }
    try {
      const { acks } = this.#connections;
      // No pipeline: the connection sends all of a turn at once, and a pipeline would copy BullMQ's 60 scripts (30 µs).
      await Promise.all(
        [...ids].flatMap(([workerType, list]) => {
          const key = typeKeys(this.#prefix, workerType).reports;
          return [acks.xack(key, GROUP, ...list), acks.xdel(key, ...list)];
        }),
      );
    } catch (error) {
      if (!this.#sleeper.isStopped()) this.#options.onError(error);
    }
  }

  /** After Redis was emptied the groups are gone: they are made again by the next look. */
  async #recover(error: unknown, leftMs: number): Promise<void> {
    const message = error instanceof Error ? error.message : String(error);
    this.#types = [];
    if (/^(NOGROUP|UNBLOCKED)/.test(message)) return;
    this.#options.onError(error);
    await this.#sleeper.sleep(Math.max(0, Math.min(leftMs, 250)));
  }
}
