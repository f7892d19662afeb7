import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { Problem } from '@connecta/contracts';
import type { IncomingMessage } from 'node:http';

/** Hex SHA-256 of a secret: the only form in which one is kept. Keys are 256 random bits, so no salt or stretching. */
export function hashKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/** A new secret: `ck_…` for fe-api, `sk_…` for a service account. */
export function newKey(prefix: 'ck' | 'sk'): string {
  return `${prefix}_${randomBytes(32).toString('base64url')}`;
}

/** Compares a given secret with a known hash in constant time. */
export function keyMatches(given: string, knownHash: string): boolean {
  const a = Buffer.from(hashKey(given));
  const b = Buffer.from(knownHash);
  return a.length === b.length && timingSafeEqual(a, b);
}

/** The credential of `Authorization: Bearer …`. @throws Problem unauthenticated when there is none. */
export function bearerOf(req: IncomingMessage): string {
  const token = /^Bearer +([^\s]{1,8192})$/i.exec(req.headers.authorization ?? '')?.[1];
  if (token === undefined) throw new Problem('unauthenticated', 'Send Authorization: Bearer <key>');
  return token;
}
