import type { BeApiOperations } from '@connecta/contracts';
import { planTaskInvocation, readInvocation, type Intake } from '@connecta/intake';
import { answer, idempotencyOf, inputOf } from '@connecta/runtime';
import { findOrderParams, type Store } from '@connecta/store';
import { Router } from 'express';
import type { JsonValue } from '@connecta/contracts';
import { accountOf, createdByOf } from '../authenticate.ts';
import { ownClient } from '../orders/place-order.ts';

type Invoke = BeApiOperations['invokeTask'];

/** Tasks that service accounts run for their clients, with what they follow. */
export function tasksRouter({ store, intake }: { store: Store; intake: Intake }): Router {
  const router = Router();
  router.post('/v1/tasks/:type/:name/invoke', async (req, res) => {
    const { path, body } = inputOf<Invoke>(req);
    const account = accountOf(req);
    const { client, mayNameFiles } = ownClient(account, body ?? {});
    const task = `${path.type}/${path.name}`;
    const { input, params, force } = (body ?? {}) as {
      input?: JsonValue;
      params?: { [name: string]: JsonValue };
      force?: boolean;
    };
    const { order, runs, fresh } = await planTaskInvocation(store, { task, client, input, params, force });
    const createdBy = createdByOf(account);
    const idempotency = idempotencyOf(req);
    const [outcome] = await intake.accept(
      [{ order, client, mayNameFiles, createdBy, traceparent: req.context.traceparent }],
      idempotency && { ...idempotency, scope: `${createdBy} POST ${req.path}` },
    );
    if (!outcome) throw new Error('intake gave no outcome');
    if (!outcome.ok) throw outcome.problem;
    const told = (outcome.replayed ? readInvocation(await findOrderParams(store, outcome.id)) : null) ?? {
      runs,
      fresh,
    };
    res.setHeader('location', `/v1/orders/${outcome.id}`);
    answer<Invoke, 202>(res, 202, { id: outcome.id, state: 'accepted', ...told });
  });
  return router;
}
