import { createHash } from 'node:crypto';
import type { BeApiOperations, OrderId } from '@connecta/contracts';
import { FunctionError } from '../function/function-error.ts';
import type { ChildOrder, ChildOrderRequest } from '../function/function.ts';
import type { AttemptIdentity, ChildOrders } from '../runner/ports.ts';
import { BeApiError, dataOf, withRetries, type BeApi } from './client.ts';

const LONG_POLL_S = 30;
const PLACE_TRIES = 6;
/** Waiting is patient: the order is committed, and only the job's own timer ends the wait. */
const WAIT_TRIES = 1_000;

type Order = BeApiOperations['getOrder']['responses'][200]['content']['application/json'];

/** Places child orders at be-api and waits for their ends. */
export class BeApiChildOrders implements ChildOrders {
  readonly #beApi: BeApi;

  constructor(beApi: BeApi) {
    this.#beApi = beApi;
  }

  async place(attempt: AttemptIdentity, request: ChildOrderRequest): Promise<ChildOrder> {
    const { signal, lease } = attempt;
    const { idempotencyKey, ...body } = request;
    const key = idempotencyKey ?? `${attempt.jobId}-${fingerprint(body)}`;
    try {
      const place = (): Promise<Order> =>
        dataOf(
          this.#beApi.calls.POST('/v1/orders', {
            params: { header: { 'Connecta-Lease': lease, 'Idempotency-Key': key } },
            headers: { traceparent: attempt.traceparent },
            body,
            signal,
          }),
        );
      let order = await withRetries(place, { tries: PLACE_TRIES, signal });
      while (order.state === 'accepted' || order.state === 'active') {
        const { id } = order;
        order = await withRetries(() => this.#wait(id, signal), { tries: WAIT_TRIES, signal });
      }
      return toChildOrder(order);
    } catch (error) {
      if (signal.aborted || error instanceof FunctionError) throw error;
      const final = error instanceof BeApiError && !error.passing;
      const told = error instanceof Error ? error.message : String(error);
      throw new FunctionError(
        final ? 'permanent' : 'retryable',
        final ? error.code : 'child_order_unavailable',
        `the child order failed to be placed: ${told}`,
        { cause: error },
      );
    }
  }

  #wait(id: string, signal: AbortSignal): Promise<Order> {
    const params = { path: { id }, query: { wait: LONG_POLL_S } };
    return dataOf(this.#beApi.calls.GET('/v1/orders/{id}', { params, signal }));
  }
}

function fingerprint(body: object): string {
  return createHash('sha256').update(JSON.stringify(body)).digest('hex').slice(0, 32);
}

function toChildOrder(order: Order): ChildOrder {
  const ended: ChildOrder = {
    id: order.id as OrderId,
    state: order.state as ChildOrder['state'],
    result: (order.result ?? null) as ChildOrder['result'],
  };
  return order.error ? { ...ended, error: { code: order.error.code, message: order.error.message } } : ended;
}
