import type { KeyObject } from 'node:crypto';
import type { Delivery, JobQueues } from '@connecta/queue';
import type { Logger } from '@connecta/runtime';
import { toDelivery, type Command } from '../engine/command.ts';

/** Deliveries kept for a queue that does not answer; beyond this the reconciler finds them in the database again. */
const MAX_WAITING = 20_000;
const RETRY_MS = 500;

/**
 * Sends committed commands to the queues. States: idle → sending → idle, or → waiting (the queue does not answer; it is
 * tried again twice a second). Losing what waits here loses nothing: the jobs are `invoked` in the database.
 */
export class Dispatcher {
  readonly #queues: JobQueues;
  readonly #key: KeyObject;
  readonly #log: Logger;
  #waiting: Map<string, Delivery[]> = new Map();
  #waitingCount = 0;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(queues: JobQueues, key: KeyObject, log: Logger) {
    this.#queues = queues;
    this.#key = key;
    this.#log = log;
  }

  /** Resolves when the queue has the commands or has refused them; refused ones are sent later. Never throws. */
  async send(commands: readonly Command[]): Promise<void> {
    if (commands.length === 0) return;
    const now = Date.now();
    const byType = new Map<string, Delivery[]>();
    for (const command of commands) {
      const delivery = toDelivery(this.#key, command, now);
      const list = byType.get(command.job.workerType);
      if (list) list.push(delivery);
      else byType.set(command.job.workerType, [delivery]);
    }
    await this.#enqueue(byType);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
  }

  async #enqueue(byType: Map<string, Delivery[]>): Promise<void> {
    try {
      await this.#queues.enqueue(byType);
    } catch (error) {
      this.#log.warn({ err: error, types: [...byType.keys()] }, 'the queue does not take jobs; they are sent again');
      this.#keep(byType);
    }
  }

  #keep(byType: Map<string, Delivery[]>): void {
    for (const [type, deliveries] of byType) {
      if (this.#waitingCount + deliveries.length > MAX_WAITING) continue;
      this.#waitingCount += deliveries.length;
      this.#waiting.set(type, [...(this.#waiting.get(type) ?? []), ...deliveries]);
    }
    if (this.#closed || this.#retry) return;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      const again = this.#waiting;
      this.#waiting = new Map();
      this.#waitingCount = 0;
      void this.#enqueue(again);
    }, RETRY_MS);
  }
}
