import { Problem, readLease, type BeApiOperations, type JsonValue } from '@connecta/contracts';
import { filesBeyond } from '@connecta/domain';
import type { Intake, IntakeRequest } from '@connecta/intake';
import { idempotencyOf, inputOf, type OperationInput } from '@connecta/runtime';
import { ANY_CLIENT, findClientId, findOrdersAbove, type ServiceAccount, type Store } from '@connecta/store';
import type { Request } from 'express';
import { accountOf, createdByOf } from '../authenticate.ts';
import { heldJob, type LeaseCheck } from '../jobs/held-job.ts';

/** Orders in orders in orders: a function that places itself again ends here. */
const MAX_CHILD_DEPTH = 16;

export interface PlacingParts extends LeaseCheck {
  store: Store;
  intake: Intake;
}

type OrderBody = OperationInput<BeApiOperations['placeOrder']>['body'];

/** Accepts the order of a request; its id once it is committed. @throws Problem whatever is wrong with it. */
export async function placeOrder(parts: PlacingParts, req: Request): Promise<{ id: string }> {
  const { body, header } = inputOf<BeApiOperations['placeOrder']>(req);
  const account = accountOf(req);
  const lease = header['connecta-lease'];
  const sender = lease === undefined ? ownClient(account, body) : await parentsClient(parts, { account, lease, body });
  const idempotency = idempotencyOf(req);
  const [outcome] = await parts.intake.accept(
    [
      {
        order: body as JsonValue,
        createdBy: createdByOf(account),
        traceparent: req.context.traceparent,
        ...sender,
      },
    ],
    idempotency && { scope: `${createdByOf(account)} POST /v1/orders`, ...idempotency },
  );
  if (!outcome) throw new Error('intake gave no outcome');
  if (!outcome.ok) throw outcome.problem;
  return { id: outcome.id };
}

type Sender = Pick<IntakeRequest, 'client' | 'parentJobId' | 'mayNameFiles'>;

/** The client that the order names, or the only one of the account. */
export function ownClient(
  { name, allowedClients, mayNameFiles }: ServiceAccount,
  body: { client?: string | undefined },
): Sender {
  const [only] = allowedClients;
  const fallback = allowedClients.length === 1 && only !== ANY_CLIENT ? only : undefined;
  const client = body.client ?? fallback;
  if (client === undefined) {
    throw new Problem('bad_request', 'Say which client the order is for', {
      faults: [{ path: '/client', message: 'is required for an account that does not act for one client alone' }],
    });
  }
  if (!allowedClients.includes(client) && !allowedClients.includes(ANY_CLIENT)) {
    throw new Problem('forbidden', `The account ${name} may not act for ${client}`);
  }
  return { client: { name: client }, mayNameFiles };
}

/** The client of the order that the running job belongs to: what is placed under a lease is that order's child. */
async function parentsClient(
  parts: PlacingParts,
  shown: { account: ServiceAccount; lease: string; body: OrderBody },
): Promise<Sender> {
  const { account, lease, body } = shown;
  const jobId = readLease(parts.leaseKey, lease)?.jobId ?? '';
  const job = await heldJob(parts, { jobId, lease, workerType: account.workerType });
  const above = await findOrdersAbove(parts.store, job.id);
  if (above.length > MAX_CHILD_DEPTH) {
    throw new Problem('conflict', `Child orders may be nested ${MAX_CHILD_DEPTH} deep at most`);
  }
  if (body.client !== undefined && (await findClientId(parts.store, body.client)) !== job.clientId) {
    throw new Problem('forbidden', 'A child order belongs to the client of its parent');
  }
  // A running job may pass on the files that it was given itself (to have them made blobs), and no others.
  const named = [body.input ?? null, body.params ?? null] as JsonValue[];
  const mayNameFiles = filesBeyond(named, [job.input, job.params]).length === 0;
  return { client: { id: job.clientId }, parentJobId: job.id, mayNameFiles };
}
