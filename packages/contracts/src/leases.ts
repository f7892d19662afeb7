import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';
import type { JobId, OrderId } from './ids.ts';

/** What a lease says: this attempt of this job, of this order, was given to workers of this type. */
export interface Lease {
  orderId: OrderId;
  jobId: JobId;
  attempt: number;
  workerType: string;
  /** Milliseconds since the epoch. */
  expiresAtMs: number;
}

/**
 * The signing key as a KeyObject: an HMAC with one costs 2 µs on Node 24, with a Buffer 12 µs.
 *
 * @throws RangeError when the key has fewer than 32 bytes.
 */
export function leaseKey(base64url: string): KeyObject {
  const bytes = Buffer.from(base64url, 'base64url');
  if (bytes.length < 32) throw new RangeError('the lease key needs at least 32 bytes, base64url encoded');
  return createSecretKey(bytes);
}

const mac = (key: KeyObject, text: string): string => createHmac('sha256', key).update(text).digest('base64url');

/** `<orderId>.<jobId>.<attempt>.<type>.<expiry>.<HMAC-SHA256>`. */
export function signLease(key: KeyObject, lease: Lease): string {
  const body = `${lease.orderId}.${lease.jobId}.${lease.attempt}.${lease.workerType}.${lease.expiresAtMs}`;
  return `${body}.${mac(key, body)}`;
}

/** Reads a lease; null when it was not signed with this key. Expiry is the caller's to check: the engine ignores it. */
export function readLease(key: KeyObject, token: string): Lease | null {
  const dot = token.lastIndexOf('.');
  const body = token.slice(0, Math.max(dot, 0));
  const expected = Buffer.from(mac(key, body));
  const given = Buffer.from(token.slice(dot + 1));
  if (expected.length !== given.length || !timingSafeEqual(expected, given)) return null;
  const [orderId, jobId, attempt, workerType, expiresAtMs] = body.split('.');
  return {
    orderId: orderId as OrderId,
    jobId: jobId as JobId,
    attempt: Number(attempt),
    workerType: workerType ?? '',
    expiresAtMs: Number(expiresAtMs),
  };
}
