import { Problem, type FeApiOperations, type JsonValue, type OrderId } from '@connecta/contracts';
import type { Intake, IntakeRequest } from '@connecta/intake';
import { answer, idempotencyOf, inputOf, requireRole } from '@connecta/runtime';
import { findOrderTrace, type OrderTrace, type Store } from '@connecta/store';
import { Router, type Request } from 'express';
import { callerOf, scopeOf } from '../access/caller.ts';
import { hasEnded, visibleOrder } from '../orders/order-access.ts';
import { explainCache } from '../reruns/explain-cache.ts';
import { previewSteps } from '../reruns/preview-rerun.ts';

type Operations = FeApiOperations;

/** Orders that run others again, and why a result was or was not taken from the cache. */
export function rerunsRouter({ store, intake }: { store: Store; intake: Intake }): Router {
  const router = Router();
  router.post('/v1/orders/:id/rerun', requireRole('admin', 'operator', 'client'), async (req, res) => {
    const { path, body } = inputOf<Operations['rerunOrder']>(req);
    const origin = await visibleWhole(store, req, path.id);
    const request = requestOf(req, origin, body ?? {});
    if (body?.dryRun === true) {
      const prepared = await intake.preview(request);
      if (prepared instanceof Problem) throw prepared;
      const steps = await previewSteps(store, origin, prepared);
      answer<Operations['rerunOrder'], 200>(res, 200, { rerunOf: origin.id, steps });
      return;
    }
    const idempotency = idempotencyOf(req);
    const scope = scopeOf(callerOf(req), `POST /v1/orders/${origin.id}/rerun`);
    const [outcome] = await intake.accept([request], idempotency && { ...idempotency, scope });
    if (!outcome?.ok) throw outcome?.problem ?? new Error('a request without an outcome');
    res.setHeader('location', `/v1/orders/${outcome.id}`);
    answer<Operations['rerunOrder'], 202>(res, 202, { id: outcome.id, state: 'accepted', rerunOf: origin.id });
  });
  router.get('/v1/orders/:id/jobs/:jobId/cache', async (req, res) => {
    const { path } = inputOf<Operations['explainCache']>(req);
    const order = await visibleWhole(store, req, path.id);
    const job = order.jobs.find(({ id }) => id === path.jobId);
    if (!job) throw new Problem('not_found', 'The order has no such job');
    answer<Operations['explainCache'], 200>(res, 200, await explainCache(store, order, job));
  });
  return router;
}

async function visibleWhole(store: Store, req: Request, id: string): Promise<OrderTrace> {
  await visibleOrder(store, callerOf(req), id);
  const order = await findOrderTrace(store, id as OrderId);
  if (!order) throw new Problem('not_found', 'There is no such order');
  return order;
}

interface Wanted {
  from?: string;
  input?: unknown;
  params?: { [name: string]: unknown };
}

/** The order that runs another one again. @throws Problem conflict, bad_request */
function requestOf(req: Request, origin: OrderTrace, { from, input, params }: Wanted): IntakeRequest {
  const caller = callerOf(req);
  if (!hasEnded(origin)) {
    throw new Problem('conflict', `Only an order that has ended can run again; this one is ${origin.state}`, {
      extensions: { state: origin.state },
    });
  }
  if (from !== undefined && !Object.hasOwn(origin.plan.steps, from)) {
    const message = `there is no step '${from}'`;
    throw new Problem('bad_request', `The order cannot run again from there: ${message}`, {
      faults: [{ path: '/from', message }],
    });
  }
  const merged = { ...origin.params, ...(params as { [name: string]: JsonValue } | undefined) };
  return {
    order: {
      input: input === undefined ? origin.input : (input as JsonValue),
      ...(Object.keys(merged).length > 0 ? { params: merged } : {}),
      ...(origin.context ? { contextId: origin.context.blobId } : {}),
    },
    client: { id: origin.clientId },
    createdBy: caller.createdBy,
    traceparent: req.context.traceparent,
    // What the first order was given may be given again.
    mayNameFiles: caller.clientId === null || (input === undefined && params === undefined),
    rerun: {
      ...{ of: origin.id, from, cacheTtlMs: origin.cacheTtlMs ?? undefined },
      version: {
        ...{ id: origin.workflowVersionId, named: origin.workflowName !== null },
        definition: origin.definition,
      },
    },
  };
}
