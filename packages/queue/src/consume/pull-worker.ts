import { Worker, type BackendFactory, type IQueueBackend, type Job, type WorkerOptions } from 'bullmq';
import type { JobMessage } from '@connecta/contracts';

export type Message = Job<JobMessage, unknown, string>;

/** BullMQ's codes for a message that is no longer ours to end: its key or lock is gone (the store was emptied, or the
 * message was removed), it is not active, or another one has the lock. */
const GONE = new Set([-1, -2, -3, -6]);

/** True when a message cannot be ended because it is already gone from the store. */
export function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && GONE.has(error.code);
}

/**
 * A BullMQ worker without a processor: we ask it for messages and tell it when they are over. Its own loop is not used
 * because it counts messages, not functions, and cannot say when the store last answered it.
 */
export class PullWorker extends Worker<JobMessage, unknown, string, IQueueBackend> {
  #faults = 0;

  constructor(
    name: string,
    options: WorkerOptions,
    onError: (error: unknown) => void,
    backend: BackendFactory<IQueueBackend>,
  ) {
    super(name, null, options, backend);
    this.on('error', (error) => {
      this.#faults++;
      onError(error);
    });
  }

  /** Asks for a message and waits for one up to BullMQ's drain delay (5 s). `answered` is false when the store did
   * not answer: BullMQ only tells its error listener and returns nothing. */
  async pull(token: string): Promise<{ message: Message | undefined; answered: boolean }> {
    const faults = this.#faults;
    const message: Message | undefined = await this.getNextJob(token, { block: true });
    return { message, answered: faults === this.#faults };
  }

  /** Ends a message and, in the same call, takes the next one. */
  async finish(message: Message, token: string, fetchNext: boolean): Promise<Message | undefined> {
    const next = await message.moveToCompleted(null, token, fetchNext);
    return Array.isArray(next) && next[0] ? this.nextJobFromJobData(next[0], String(next[1]), token) : undefined;
  }

  /** Puts a message back that came while this instance was closing. */
  async giveBack(message: Message, token: string): Promise<void> {
    await message.moveToWait(token);
  }

  /** Ends a waiting {@link pull}. */
  interrupt(): void {
    this.getBackend()
      .disconnectBlocking(false)
      .catch(() => undefined);
  }
}
