import { Problem, type BeApiOperations, type OrderId } from '@connecta/contracts';
import { answer, inputOf, type OperationAnswer } from '@connecta/runtime';
import { findPlacedOrder, type OrderWatch, type PlacedOrder } from '@connecta/store';
import { Router, type Request } from 'express';
import { accountOf, createdByOf } from '../authenticate.ts';
import { placeOrder, type PlacingParts } from '../orders/place-order.ts';

/** A signal may get lost: an order that is waited for is read again this often in any case. */
const SLOW_POLL_MS = 2_000;

export interface OrdersDeps extends PlacingParts {
  watch: OrderWatch;
  /** Ends long polls: each answers with what its order is then. */
  stopping: AbortSignal;
}

/** Orders that service accounts place, for their clients or for a running job, and how they went. */
export function ordersRouter(deps: OrdersDeps): Router {
  const router = Router();

  router.post('/v1/orders', async (req, res) => {
    const { id } = await placeOrder(deps, req);
    const order = await ownOrder(deps, req, id);
    res.setHeader('location', `/v1/orders/${id}`);
    answer<BeApiOperations['placeOrder'], 202>(res, 202, toAnswer(order));
  });

  router.get('/v1/orders/:id', async (req, res) => {
    const { path, query } = inputOf<BeApiOperations['getOrder']>(req);
    const order = await waitForEnd(deps, req, { id: path.id, waitMs: (query.wait ?? 0) * 1000 });
    answer<BeApiOperations['getOrder'], 200>(res, 200, toAnswer(order));
  });
  return router;
}

/** The order, if this account placed it. @throws Problem not_found */
async function ownOrder({ store }: OrdersDeps, req: Request, id: string): Promise<PlacedOrder> {
  const order = await findPlacedOrder(store, id as OrderId);
  if (order?.createdBy === createdByOf(accountOf(req))) return order;
  throw new Problem('not_found', 'This account placed no such order');
}

/** The order once it has ended, or as it is when the time is over, the caller left, or this process stops. */
async function waitForEnd(
  deps: OrdersDeps,
  req: Request,
  { id, waitMs }: { id: string; waitMs: number },
): Promise<PlacedOrder> {
  const endAtMs = performance.now() + waitMs;
  const subscription = deps.watch.subscribe(id as OrderId, 'end');
  const leave = (): void => subscription.close();
  req.socket.once('close', leave);
  deps.stopping.addEventListener('abort', leave, { once: true });
  try {
    if (waitMs > 0) await subscription.ready;
    for (;;) {
      const order = await ownOrder(deps, req, id);
      const leftMs = endAtMs - performance.now();
      const over = leftMs <= 0 || req.socket.destroyed || deps.stopping.aborted;
      if (over || (order.state !== 'accepted' && order.state !== 'active')) return order;
      await subscription.changed(Math.min(leftMs, SLOW_POLL_MS));
    }
  } finally {
    req.socket.off('close', leave);
    deps.stopping.removeEventListener('abort', leave);
    subscription.close();
  }
}

type OrderAnswer = OperationAnswer<BeApiOperations['getOrder'], 200>;

function toAnswer(order: PlacedOrder): OrderAnswer {
  return {
    id: order.id,
    client: order.clientName,
    state: order.state,
    ...(order.parentJobId ? { parentJobId: order.parentJobId } : {}),
    ...(order.state === 'completed' ? { result: order.result } : {}),
    ...(order.error ? { error: { ...order.error } } : {}),
    createdAt: order.createdAt.toISOString(),
    ...(order.finishedAt ? { finishedAt: order.finishedAt.toISOString() } : {}),
  };
}
