import { Job, Worker, type BackendFactory, type IQueueBackend, type JobJson, type WorkerOptions } from 'bullmq';
import type { JobMessage } from '@connecta/contracts';
import { toMessage, type Pack } from '../jobs/packs.ts';
import type { Delivery } from '../port.ts';

export type Message = Job<JobMessage | Pack, unknown>;

/** BullMQ's codes for a message that is no longer ours to end. */
const GONE = { missing: -1, unlocked: -2, notActive: -3, foreign: -6 } as const;
type Gone = keyof typeof GONE;

/** Why a message cannot be ended: it is gone (the store was emptied, or it was removed), its lock ran out, or somebody
 * else has it. Undefined for other errors. */
export function whyGone(error: unknown): Gone | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return (Object.keys(GONE) as Gone[]).find((gone) => GONE[gone] === error.code);
}

/**
 * A BullMQ worker without a processor: we ask it for messages and tell it when they are over. Its own loop is not used
 * because it counts messages, not functions, and cannot say when the store last answered it.
 */
export class PullWorker extends Worker<JobMessage | Pack, unknown, string, IQueueBackend> {
  #faults = 0;

  constructor(name: string, options: WorkerOptions, onError: (error: unknown) => void, backend: BackendFactory) {
    super(name, null, options, backend);
    this.on('error', (error) => {
      this.#faults++;
      onError(error);
    });
  }

  /** Asks for a message, to be locked with this token, and waits for one some seconds. `answered` is false when the store
   * did not answer: BullMQ only tells its error listener and returns nothing. */
  async pull(token: string): Promise<{ message: Message | undefined; answered: boolean }> {
    const faults = this.#faults;
    const message: Message | undefined = await this.getNextJob(token, { block: true });
    return { message, answered: faults === this.#faults };
  }

  /** Ends a message and, in the same call, takes the next one. When there is none, the next pull waits at once. */
  async finish(message: Message, fetchNext: boolean): Promise<Message | undefined> {
    const { token = '' } = message;
    const next: unknown = await message.moveToCompleted(null, token, fetchNext);
    if (!fetchNext) return undefined;
    const [data, id] = (Array.isArray(next) ? next : []) as [JobJson | undefined, string | undefined];
    return this.nextJobFromJobData(data, id, token);
  }

  /** Puts a message back that came while this instance was closing. */
  async giveBack(message: Message): Promise<void> {
    await message.moveToWait(message.token);
  }

  /** Puts deliveries back by themselves, to be taken next. */
  async putBack(deliveries: readonly Delivery[]): Promise<void> {
    const messages = deliveries.map((delivery) => toMessage([delivery]));
    await Job.createBulk(
      this,
      messages.map(({ name, data, opts }) => ({ name, data, opts: { ...opts, lifo: true } })),
    );
  }

  /** Ends a waiting {@link pull}. */
  interrupt(): void {
    this.getBackend()
      .disconnectBlocking(false)
      .catch(() => undefined);
  }
}
