import { createHash } from 'node:crypto';
import { Problem } from '@connecta/contracts';
import type { Request } from 'express';

/** An `Idempotency-Key` and what it stands for. */
export interface Idempotency {
  key: string;
  /** Hex SHA-256 of the body: the same key with another hash is a 422. */
  bodyHash: string;
}

/** Reads the `Idempotency-Key` header. @throws Problem bad_request when it is not 1 to 200 visible ASCII characters. */
export function idempotencyKeyOf(req: Request): string | undefined {
  const key = req.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,200}$/.test(key)) {
    throw new Problem('bad_request', 'The Idempotency-Key is not valid', {
      faults: [{ path: 'header:idempotency-key', message: 'must be 1 to 200 visible ASCII characters' }],
    });
  }
  return key;
}

/** The key with the hash of the JSON body that was read, or of `body` for a request that is not JSON. */
export function idempotencyOf(req: Request, body?: string | Buffer): Idempotency | undefined {
  const key = idempotencyKeyOf(req);
  if (key === undefined) return undefined;
  const bytes = body ?? req.context.rawBody ?? '';
  return { key, bodyHash: createHash('sha256').update(bytes).digest('hex') };
}
