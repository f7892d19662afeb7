import type { OrderId, OrderState } from '@connecta/contracts';
import { findOrderHead, type OrderWatch, type Store } from '@connecta/store';
import type { Response } from 'express';
import { hasEnded } from './order-access.ts';

/** A signal may get lost: an order that is waited for is looked at this often in any case. */
const SLOW_POLL_MS = 2_000;
const MAX_WAIT_S = 60;

/** The seconds of `Prefer: wait=…` (RFC 7240), 60 at most; 0 without. */
export function preferredWait(header: string | undefined): number {
  const seconds = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,6})/i.exec(header ?? '')?.[1];
  return Math.min(Number(seconds ?? 0), MAX_WAIT_S);
}

/**
 * Waits until an order has ended and returns it as `read` does; null when the time is over, the caller left, or this
 * process stops. An order that was placed after `placedAfterMs` (of `performance.now()`) is first looked at when its end
 * is heard of. What follows a signal is the read itself, not a look and then the read.
 */
export async function waitForEnd<Seen extends { state: OrderState }>(
  parts: { store: Store; watch: OrderWatch; stopping: AbortSignal },
  wait: {
    id: OrderId;
    seconds: number;
    res: Response;
    read: () => Promise<Seen>;
    placedAfterMs: number | undefined;
  },
): Promise<Seen | null> {
  const endAtMs = performance.now() + wait.seconds * 1000;
  const subscription = parts.watch.subscribe(wait.id, 'end');
  const leave = (): void => subscription.close();
  wait.res.once('close', leave);
  parts.stopping.addEventListener('abort', leave, { once: true });
  try {
    await subscription.ready;
    if (wait.placedAfterMs === undefined || !subscription.heardSince(wait.placedAfterMs)) {
      const order = await findOrderHead(parts.store, wait.id);
      if (!order || hasEnded(order)) return await wait.read();
    }
    for (;;) {
      const leftMs = endAtMs - performance.now();
      if (leftMs <= 0) return null;
      await subscription.changed(Math.min(leftMs, SLOW_POLL_MS));
      if (wait.res.destroyed || parts.stopping.aborted) return null;
      const seen = await wait.read();
      if (hasEnded(seen)) return seen;
    }
  } finally {
    wait.res.off('close', leave);
    parts.stopping.removeEventListener('abort', leave);
    subscription.close();
  }
}
