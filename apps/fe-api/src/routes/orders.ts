import { Problem, type FeApiOperations, type JobId, type JsonValue, type OrderId } from '@connecta/contracts';
import { answer, decodeCursor, inputOf, requireRole, toPage } from '@connecta/runtime';
import {
  findProfileIds,
  cancelWithChildren,
  findClientId,
  listJobs,
  listOrders,
  type OrderWatch,
  type Store,
} from '@connecta/store';
import { Router, type Request, type Response } from 'express';
import { z } from 'zod';
import { callerOf, type Caller } from '../access/caller.ts';
import { visibleOrder, visibleTrace } from '../orders/order-access.ts';
import { jobView, orderSummary } from '../orders/order-view.ts';
import { placeBatch, placeOrder, type PlacingParts } from '../orders/place-orders.ts';
import { preferredWait, waitForEnd } from '../orders/wait-for-order.ts';

type Operations = FeApiOperations;

export interface OrdersParts extends PlacingParts {
  watch: OrderWatch;
  /** What tokens of callbacks are made with. */
  webhookKey: string;
  /** Ends waits and streams. */
  stopping: AbortSignal;
}

/** Orders: placed, listed, read as a whole trace, cancelled. */
export function ordersRouter(parts: OrdersParts): Router {
  const router = Router();
  const { store } = parts;
  const mayPlace = requireRole('admin', 'operator', 'client');
  router.post('/v1/orders', mayPlace, (req, res) => create(parts, req, res));
  router.post('/v1/orders/batch', mayPlace, async (req, res) => {
    const outcomes = await placeBatch(parts, req);
    res.json({
      items: outcomes.map((outcome) =>
        outcome.ok
          ? { status: 202, id: outcome.id }
          : { status: outcome.problem.status, problem: outcome.problem.toDocument() },
      ),
    });
  });
  router.get('/v1/orders', async (req, res) => {
    answer<Operations['listOrders'], 200>(res, 200, await listPage(store, req));
  });
  router.get('/v1/orders/:id', async (req, res) => {
    const { id } = inputOf<Operations['getOrder']>(req).path;
    answer<Operations['getOrder'], 200>(res, 200, await visibleTrace(store, callerOf(req), id, parts.webhookKey));
  });
  router.get('/v1/orders/:id/jobs', async (req, res) => {
    const { path, query } = inputOf<Operations['listJobs']>(req);
    const { id: orderId } = await visibleOrder(store, callerOf(req), path.id);
    const { limit = 100, cursor } = query;
    const after = cursor === undefined ? undefined : (decodeCursor(cursor, z.uuid()) as JobId);
    const rows = await listJobs(store, { orderId, after, limit: limit + 1 });
    const page = toPage(rows, limit, { item: jobView, place: (job) => job.id });
    answer<Operations['listJobs'], 200>(res, 200, page);
  });
  router.post('/v1/orders/:id/cancel', mayPlace, async (req, res) => {
    const caller = callerOf(req);
    const { id } = await visibleOrder(store, caller, inputOf<Operations['cancelOrder']>(req).path.id);
    await cancel(store, id, caller.createdBy);
    answer<Operations['cancelOrder'], 200>(res, 200, await visibleTrace(store, caller, id, parts.webhookKey));
  });
  return router;
}

async function create(parts: OrdersParts, req: Request, res: Response): Promise<void> {
  const startMs = performance.now();
  const seconds = preferredWait(req.headers['prefer']?.toString());
  const { id, replayed } = await placeOrder(parts, req);
  res.setHeader('location', `/v1/orders/${id}`);
  const read = (): ReturnType<typeof visibleTrace> => visibleTrace(parts.store, callerOf(req), id, parts.webhookKey);
  const placedAfterMs = replayed ? undefined : startMs;
  const ended = seconds > 0 ? await waitForEnd(parts, { id, seconds, res, read, placedAfterMs }) : null;
  if (ended) {
    res.setHeader('preference-applied', `wait=${seconds}`);
    answer<Operations['createOrder'], 200>(res, 200, ended);
    return;
  }
  answer<Operations['createOrder'], 202>(res, 202, { id, state: 'accepted' });
}

async function listPage(
  store: Store,
  req: Request,
): Promise<{ items: ReturnType<typeof orderSummary>[]; nextCursor: string | null }> {
  const { query } = inputOf<Operations['listOrders']>(req);
  const { limit = 100, cursor, client, createdAfter, createdBefore } = query;
  const clientId = await clientFilter(store, callerOf(req), client);
  if (clientId === null) return { items: [], nextCursor: null };
  const rows = await listOrders(store, {
    clientId,
    states: query.state,
    workflow: query.workflow,
    profiles: await profileFilter(store, query),
    createdAfter: createdAfter === undefined ? undefined : new Date(createdAfter),
    createdBefore: createdBefore === undefined ? undefined : new Date(createdBefore),
    before: cursor === undefined ? undefined : (decodeCursor(cursor, z.uuid()) as OrderId),
    limit: limit + 1,
  });
  return toPage(rows, limit, { item: orderSummary, place: (order): JsonValue => order.id });
}

/** @throws Problem bad_request for a revision of no profile */
async function profileFilter(
  store: Store,
  { profile, revision }: { profile?: string; revision?: number },
): Promise<Parameters<typeof listOrders>[1]['profiles']> {
  if (profile !== undefined) return { ids: await findProfileIds(store, profile), revision };
  if (revision === undefined) return undefined;
  const message = 'goes with a profile';
  throw new Problem('bad_request', `The revision ${message}`, { faults: [{ path: 'query:revision', message }] });
}

/** The client whose orders are listed; undefined: all; null: one that does not exist, as far as the caller knows. */
async function clientFilter(
  store: Store,
  caller: Caller,
  named: string | undefined,
): Promise<Caller['clientId'] | undefined> {
  const wanted = named === undefined ? undefined : await findClientId(store, named);
  if (!caller.clientId) return wanted;
  return wanted === undefined || wanted === caller.clientId ? caller.clientId : null;
}

async function cancel(store: Store, id: OrderId, by: string): Promise<void> {
  const outcome = await cancelWithChildren(store, id, by);
  if (outcome.outcome === 'unknown') throw new Problem('not_found', 'There is no such order');
  if (outcome.outcome === 'already_ended') {
    throw new Problem('already_ended', `The order is ${outcome.state}`, { extensions: { state: outcome.state } });
  }
}
