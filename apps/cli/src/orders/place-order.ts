import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from '../api/api.ts';
import type { OrderRequest } from '../api/shapes.ts';
import { CliError, EXIT } from '../failures.ts';

const MOST_TRIES = 5;
const PAUSE_MS = 400;

/** Places an order; a gateway that is away for a moment is asked again under the same key, so there is one order. */
export function placeOrder(api: Api, request: OrderRequest): Promise<{ id: string }> {
  return withOneKey((key) =>
    api.take(api.client.POST('/v1/orders', { params: { header: { 'Idempotency-Key': key } }, body: request })),
  );
}

/** Repeats a call that a broken connection or a gateway in restart kept from being answered, always under one key. */
export async function withOneKey<Result>(call: (idempotencyKey: string) => Promise<Result>): Promise<Result> {
  const key = crypto.randomUUID();
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call(key);
    } catch (error) {
      if (attempt >= MOST_TRIES || !mayPass(error)) throw error;
      await sleep(PAUSE_MS * attempt);
    }
  }
}

/** Nobody listening at all is no passing fault: the first answer tells it. */
function mayPass(error: unknown): boolean {
  if (!(error instanceof CliError)) return false;
  if (error.exitCode === EXIT.unavailable) return true;
  return error.exitCode === EXIT.unreachable && !error.message.includes('nothing listens');
}
