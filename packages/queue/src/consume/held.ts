import { setImmediate } from 'node:timers/promises';
import type { Rewrite } from '../jobs/bull-store.ts';
import { isPackId, toMessage } from '../jobs/packs.ts';
import type { Delivery } from '../port.ts';
import type { Message, PullWorker } from './pull-worker.ts';

/** A message that was taken from the queue; it is over when none of its deliveries is open any more. */
export interface Held {
  message: Message;
  worker: PullWorker;
  token: string;
  lockedAt: number;
  open: Map<string, Delivery>;
  /** Deliveries that the handler did not want: others get them. */
  back: Delivery[];
  putBack: NodeJS.Timeout | undefined;
  /** Ends when no change of the message itself is under way. */
  settled: Promise<void>;
  /** Its end in the store, once that has begun. */
  ending: Promise<void> | undefined;
}

/**
 * Gives others what the handler did not want. True when that was the message itself, so that nothing is left to end; also
 * when giving it back failed: then it looks like what a dead consumer had taken.
 */
export async function giveBack(held: Held, onError: (error: unknown) => void): Promise<boolean> {
  const { message, worker, token, back } = held;
  if (back.length === 0) return false;
  const whole = !isPackId(message.id ?? '');
  try {
    await (whole ? worker.giveBack(message, token) : worker.putBack(back));
    return whole;
  } catch (error) {
    onError(error);
    return true;
  }
}

/** Makes a pack as small as what is still open of it. */
export async function shrink(held: Held, rewrite: (change: Rewrite) => Promise<boolean>): Promise<void> {
  const { message, token } = held;
  const smaller = toMessage([...held.open.values()]);
  const newId = smaller.opts.jobId;
  const change = { id: message.id ?? '', newId, name: smaller.name, data: JSON.stringify(smaller.data), token };
  if (await rewrite(change)) message.id = newId;
}

/**
 * Resolves when the end of a short message has brought the next one, or the news that there is none: to ask for more
 * beside it would be two requests in vain. A longer one is not waited for.
 */
export async function whetherShort(held: Held): Promise<void> {
  await setImmediate();
  if (!held.ending) await setImmediate();
  await held.ending;
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
    const tokens = helds.map(({ token }) => token);
    await worker.extendJobLocks(ids, tokens, lockMs).catch(onError);
  }
}
