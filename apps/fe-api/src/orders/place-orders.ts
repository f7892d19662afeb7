import { Problem, type FeApiOperations, type JsonValue, type OrderId } from '@connecta/contracts';
import type { BlobIntake, Intake, IntakeRequest, Outcome } from '@connecta/intake';
import { idempotencyKeyOf, idempotencyOf, inputOf, parseSafeJson } from '@connecta/runtime';
import type { Request } from 'express';
import { DEFAULT_CLIENT, callerOf, clientFor, scopeOf, type Caller } from '../access/caller.ts';
import { ownerOf, type BlobAccess } from '../blobs/blob-access.ts';
import { receiveForm } from '../blobs/receive-form.ts';

export interface PlacingParts extends BlobIntake {
  intake: Intake;
  access: BlobAccess;
}

const JSON_FIELDS = ['tasks', 'steps', 'params'] as const;
const TEXT_FIELDS = ['workflow', 'output', 'webhook'] as const;
const FORM = /^multipart\/form-data\b/i;

/** An order that was accepted; `replayed` when an earlier request under the same key did so. */
interface Placed {
  id: OrderId;
  replayed: boolean;
}

/** Places the one order of a request, JSON or a form. @throws Problem */
export async function placeOrder(parts: PlacingParts, req: Request): Promise<Placed> {
  const caller = callerOf(req);
  if (FORM.test(req.headers['content-type'] ?? '')) return placeForm(parts, req, caller);
  const { body } = inputOf<FeApiOperations['createOrder']>(req);
  const idempotency = idempotencyOf(req);
  const [outcome] = await parts.intake.accept(
    [requestOf(req, caller, body as JsonValue, body?.client)],
    idempotency && { ...idempotency, scope: scopeOf(caller, 'POST /v1/orders') },
  );
  return placed(outcome);
}

/** Places a batch; every order has an outcome of its own. */
export async function placeBatch(parts: PlacingParts, req: Request): Promise<Outcome[]> {
  const caller = callerOf(req);
  const { body } = inputOf<FeApiOperations['createOrders']>(req);
  const idempotency = idempotencyOf(req);
  const requests: IntakeRequest[] = [];
  const refused = new Map<number, Problem>();
  (body.orders as { [name: string]: JsonValue }[]).forEach((order, i) => {
    try {
      requests.push(requestOf(req, caller, order, order['client']));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      refused.set(i, error);
    }
  });
  const outcomes = await parts.intake.accept(
    requests,
    idempotency && { ...idempotency, scope: scopeOf(caller, 'POST /v1/orders/batch') },
  );
  if (refused.size === 0) return outcomes;
  const accepted = outcomes.values();
  return body.orders.map((_order, i) => {
    const problem = refused.get(i);
    return problem ? { ok: false, problem } : (accepted.next().value as Outcome);
  });
}

async function placeForm(parts: PlacingParts, req: Request, caller: Caller): Promise<Placed> {
  const key = idempotencyKeyOf(req);
  const clientOf = (fields: ReadonlyMap<string, string>): string | undefined =>
    fields.get('client') ?? (caller.clientId ? undefined : DEFAULT_CLIENT);
  const form = await receiveForm(req, parts, {
    createdBy: caller.createdBy,
    // No key of the blob routes can hold a space.
    idempotencyKey: key === undefined ? undefined : `orders ${key}`,
    ownerOf: (fields) => ownerOf(parts.access, parts.access.callerOf(req), clientOf(fields)),
  });
  try {
    const order = orderOf(form.fields, form.file?.blob.id);
    const [outcome] = await parts.intake.accept(
      [requestOf(req, caller, order, clientOf(form.fields))],
      idempotencyOfForm(req, caller, order),
    );
    return placed(outcome);
  } catch (error) {
    // Under a key the file stays for the next attempt, which brings the same key.
    if (key === undefined) await form.discard();
    throw error;
  }
}

function idempotencyOfForm(req: Request, caller: Caller, order: JsonValue): Parameters<Intake['accept']>[1] {
  const idempotency = idempotencyOf(req, JSON.stringify(order));
  return idempotency && { ...idempotency, scope: scopeOf(caller, 'POST /v1/orders') };
}

/** The order that a form's fields ask for. @throws Problem bad_request, malformed_json */
function orderOf(fields: ReadonlyMap<string, string>, blobId: string | undefined): { [name: string]: JsonValue } {
  if (blobId === undefined) {
    throw new Problem('bad_request', 'The form has no part "file"', {
      faults: [{ path: '/file', message: 'is required' }],
    });
  }
  const order: { [name: string]: JsonValue } = { blobId };
  for (const [name, text] of fields) {
    if (name === 'client') continue;
    if (JSON_FIELDS.some((field) => field === name)) order[name] = parseSafeJson(Buffer.from(text));
    else if (TEXT_FIELDS.some((field) => field === name)) order[name] = text;
    else
      throw new Problem('bad_request', `The form's field is not known`, {
        faults: [{ path: `/${name}`, message: 'is not known' }],
      });
  }
  return order;
}

function requestOf(req: Request, caller: Caller, order: JsonValue, client: JsonValue | undefined): IntakeRequest {
  return {
    order,
    client: clientFor(caller, typeof client === 'string' ? client : undefined),
    createdBy: caller.createdBy,
    traceparent: req.context.traceparent,
    mayNameFiles: caller.clientId === null,
  };
}

function placed(outcome: Outcome | undefined): Placed {
  if (!outcome) throw new Error('a request without an outcome');
  if (!outcome.ok) throw outcome.problem;
  return outcome;
}
