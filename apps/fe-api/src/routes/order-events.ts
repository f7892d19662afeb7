import type { FeApiOperations, OrderId } from '@connecta/contracts';
import { inputOf } from '@connecta/runtime';
import { findOrderEvents, findOrderHead, type NumberedEvent, type OrderWatch, type Store } from '@connecta/store';
import { Router, type Response } from 'express';
import { callerOf } from '../access/caller.ts';
import { hasEnded, visibleOrder } from '../orders/order-access.ts';
import { drained } from '../streams/drained.ts';

/** Proxies cut connections that are silent for long. */
const HEARTBEAT_MS = 15_000;
/** A signal may get lost: the history is looked at this often in any case. */
const SLOW_POLL_MS = 5_000;
/** An EventSource comes back after so long. */
const RETRY_MS = 1_000;

/**
 * An order's history as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html): what there
 * is behind `Last-Event-ID`, then whatever comes. Both are read from the history by number, so nothing is left out or
 * sent twice; signals only say when to look.
 */
export function orderEventsRouter(parts: { store: Store; watch: OrderWatch; stopping: AbortSignal }): Router {
  const router = Router();
  router.get('/v1/orders/:id/events', async (req, res) => {
    const { path, header } = inputOf<FeApiOperations['streamOrderEvents']>(req);
    const order = await visibleOrder(parts.store, callerOf(req), path.id);
    const lastSeen = Number(header['last-event-id'] ?? 0);
    if (hasEnded(order) && lastSeen >= order.version) {
      res.status(204).end();
      return;
    }
    res.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    res.write(`retry: ${RETRY_MS}\n\n`);
    try {
      await stream(parts, res, order.id, lastSeen);
    } catch (error) {
      // The head is out; the reader comes back with the number that it has.
      req.context.log.warn({ err: error }, 'a stream of events broke off');
    }
    res.end();
  });
  return router;
}

async function stream(
  parts: { store: Store; watch: OrderWatch; stopping: AbortSignal },
  res: Response,
  id: OrderId,
  lastSeen: number,
): Promise<void> {
  const subscription = parts.watch.subscribe(id);
  const leave = (): void => subscription.close();
  const heartbeat = setInterval(() => res.write(':\n\n'), HEARTBEAT_MS);
  res.once('close', leave);
  parts.stopping.addEventListener('abort', leave, { once: true });
  try {
    await subscription.ready;
    for (let last = lastSeen; ;) {
      // The head first: what it counts is there when the events are read.
      const order = await findOrderHead(parts.store, id);
      for (const event of await findOrderEvents(parts.store, id, last)) {
        last = event.number;
        if (!res.write(messageOf(event))) await drained(res);
      }
      if (!order || (hasEnded(order) && last >= order.version)) return;
      if (res.destroyed || parts.stopping.aborted) return;
      await subscription.changed(SLOW_POLL_MS);
    }
  } finally {
    clearInterval(heartbeat);
    res.off('close', leave);
    parts.stopping.removeEventListener('abort', leave);
    subscription.close();
  }
}

function messageOf({ number, at, event }: NumberedEvent): string {
  return `id: ${number}\nevent: ${event.type}\ndata: ${JSON.stringify({ at: at.toISOString(), ...event })}\n\n`;
}
