import { Problem, type FeApiOperations } from '@connecta/contracts';
import { answer, inputOf, requireRole } from '@connecta/runtime';
import { requestRetry, type Store } from '@connecta/store';
import { Router } from 'express';
import { callerOf, onceOf } from '../access/caller.ts';
import { withStoreProblems } from '../access/store-problems.ts';
import { visibleOrder } from '../orders/order-access.ts';

type Operations = FeApiOperations;

/** A failed order is taken up again: what failed, and nothing else. */
export function retriesRouter({ store }: { store: Store }): Router {
  const router = Router();
  router.post('/v1/orders/:id/retry', requireRole('admin', 'operator', 'client'), async (req, res) => {
    const { path } = inputOf<Operations['retryOrder']>(req);
    const { id } = await visibleOrder(store, callerOf(req), path.id);
    const outcome = await withStoreProblems(requestRetry(store, id, onceOf(req, `POST /v1/orders/${id}/retry`)));
    switch (outcome.outcome) {
      case 'unknown':
        throw new Problem('not_found', 'There is no such order');
      case 'not_failed':
        throw new Problem('conflict', `Only a failed order can be tried again; this one is ${outcome.state}`, {
          extensions: { state: outcome.state },
        });
      case 'nothing_to_retry':
        throw new Problem('conflict', 'No job of the order failed: it could not be run at all. Place it again.');
      case 'retried': {
        const { epoch, retried } = outcome;
        res.setHeader('location', `/v1/orders/${id}`);
        answer<Operations['retryOrder'], 202>(res, 202, { id, state: 'active', epoch, retried });
        return;
      }
      default:
        outcome satisfies never;
    }
  });
  return router;
}
