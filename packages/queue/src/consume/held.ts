import { setImmediate } from 'node:timers/promises';
import type { Rewrite } from '../jobs/bull-store.ts';
import { isPackId, toMessage } from '../jobs/packs.ts';
import type { Delivery } from '../port.ts';
import type { Message, PullWorker } from './pull-worker.ts';

/** A message that was taken from the queue; it is over when none of its deliveries is open any more. */
export interface Held {
  message: Message;
  worker: PullWorker;
  lockedAt: number;
  open: Map<string, Delivery>;
  /** Deliveries that the handler did not want: others get them. */
  back: Delivery[];
  putBack: NodeJS.Timeout | undefined;
  /** Ends when no change of the message itself is under way. */
  settled: Promise<void>;
  /** Its end in the store, once that has begun. */
  ending: Promise<void> | undefined;
  /** It came to a consumer that waited: there is no backlog that its end could bring the next one of. */
  readonly alone: boolean;
}

/**
 * Gives others what the handler did not want. True when that was the message itself, so that nothing is left to end; also
 * when giving it back failed: then it looks like what a dead consumer had taken.
 */
export async function giveBack(held: Held, onError: (error: unknown) => void): Promise<boolean> {
  const { message, worker, back } = held;
  if (back.length === 0) return false;
  const whole = !isPackId(message.id ?? '');
  try {
    await (whole ? worker.giveBack(message) : worker.putBack(back));
    return whole;
  } catch (error) {
    onError(error);
    return true;
  }
}

/** Makes a pack as small as what is still open of it. */
export async function shrink(held: Held, rewrite: (change: Rewrite) => Promise<boolean>): Promise<void> {
  const { id = '', token = '' } = held.message;
  const smaller = toMessage([...held.open.values()]);
  const newId = smaller.opts.jobId;
  const change = { id, newId, name: smaller.name, data: JSON.stringify(smaller.data), token };
  if (await rewrite(change)) held.message.id = newId;
}

/**
 * Resolves when the end of a short message has brought the next one, or the news that there is none: to ask for more
 * beside it would be two requests in vain. A longer one is not waited for; of one that came alone its end is not, since
 * the next request goes out with it.
 */
export async function whetherShort(held: Held): Promise<void> {
  await setImmediate();
  if (!held.ending) await setImmediate();
  if (!held.alone) await held.ending;
}

/** Renews the locks of messages that are held for a third of a lock's time. */
export async function renewLocks(
  messages: Iterable<Held>,
  lockMs: number,
  onError: (error: unknown) => void,
): Promise<void> {
  const now = Date.now();
  const due = [...messages].filter(({ lockedAt }) => now - lockedAt >= lockMs / 3);
  for (const held of due) held.lockedAt = now;
  for (const [worker, helds] of Map.groupBy(due, (held) => held.worker)) {
    const ids = helds.map(({ message }) => message.id ?? '');
    const tokens = helds.map(({ message: { token = '' } }) => token);
    await worker.extendJobLocks(ids, tokens, lockMs).catch(onError);
  }
}
