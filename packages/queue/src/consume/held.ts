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
