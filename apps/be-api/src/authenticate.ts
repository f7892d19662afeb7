import { Problem } from '@connecta/contracts';
import { KeyCache, bearerOf, hashKey, principalOf } from '@connecta/runtime';
import { findServiceAccount, type ServiceAccount, type Store } from '@connecta/store';
import type { Request } from 'express';

/** Names the service account of a request by the key that it shows; a revoked key works for 5 s more at most. */
export function authenticateServiceAccount(store: Store): (req: Request) => Promise<ServiceAccount> {
  const accounts = new KeyCache({ lookUp: (hash) => findServiceAccount(store, hash) });
  return async (req) => {
    const account = await accounts.find(hashKey(bearerOf(req)));
    if (!account) throw new Problem('unauthenticated', 'No service account has this key');
    return account;
  };
}

/** The service account of a request. */
export function accountOf(req: Request): ServiceAccount {
  return principalOf<ServiceAccount>(req);
}

/** How orders and blobs say that an account made them. */
export function createdByOf(account: ServiceAccount): string {
  return `service:${account.name}`;
}

/** @throws Problem forbidden when the account belongs to another worker type. */
export function assertSpeaksFor(account: ServiceAccount, workerType: string): void {
  if (account.workerType === workerType) return;
  throw new Problem('forbidden', `The account ${account.name} may speak for ${account.workerType} alone`);
}
