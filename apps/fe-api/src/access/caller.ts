import { Problem, isId, type ClientId } from '@connecta/contracts';
import {
  KeyCache,
  OidcVerifier,
  bearerOf,
  hashKey,
  idempotencyOf,
  principalOf,
  type OidcOptions,
} from '@connecta/runtime';
import {
  findApiKeyByHash,
  findClient,
  findClientId,
  type ApiRole,
  type IdempotentCreate,
  type Store,
} from '@connecta/store';
import type { Request } from 'express';

/** Who sends a request. */
export interface Caller {
  /** Names the credential: what Idempotency-Keys are kept by. */
  id: string;
  name: string;
  role: ApiRole;
  /** The client that a client's own credential is limited to. */
  clientId: ClientId | null;
  clientName: string | null;
  /** How the caller is noted on what it makes. */
  createdBy: string;
}

const ROLES: readonly ApiRole[] = ['admin', 'operator', 'viewer', 'client'];

/** The client whose orders they are when nobody says. */
export const DEFAULT_CLIENT = 'default';

/** Names the caller by an API key or, where an identity provider is configured, by one of its JWTs. */
export function authenticateCaller(store: Store, oidc: OidcOptions | undefined): (req: Request) => Promise<Caller> {
  const keys = new KeyCache({ lookUp: (hash) => findCallerByKey(store, hash) });
  const verifier = oidc && new OidcVerifier(oidc);
  return async (req) => {
    const token = bearerOf(req);
    if (verifier && OidcVerifier.looksLikeJwt(token)) return findCallerByToken(store, verifier, token);
    const caller = await keys.find(hashKey(token));
    if (!caller) throw new Problem('unauthenticated', 'No API key is this one');
    return caller;
  };
}

export function callerOf(req: Request): Caller {
  return principalOf<Caller>(req);
}

/** How a caller's Idempotency-Keys are told from others': a client's are its own, whatever key it shows. */
export function scopeOf(caller: Caller, call: string): string {
  return caller.clientId ? `${call} client:${caller.clientId}` : `${call} ${caller.id}`;
}

/** What a request that creates one thing is known by, where it bears an Idempotency-Key. */
export function onceOf(req: Request, call: string): IdempotentCreate | undefined {
  const idempotency = idempotencyOf(req);
  return idempotency && { ...idempotency, scope: scopeOf(callerOf(req), call) };
}

/**
 * The client that a request of the caller is for: its own, or the named one.
 *
 * @throws Problem not_found when a client names another.
 */
export function clientFor(caller: Caller, named: string | undefined): { id: ClientId } | { name: string } {
  if (caller.clientId) {
    if (named === undefined || named === caller.clientId || named === caller.clientName) return { id: caller.clientId };
    throw new Problem('not_found', `There is no client '${named}'`, {
      faults: [{ path: '/client', message: `there is no client '${named}'`, code: 'unknown_client' }],
    });
  }
  const client = named ?? DEFAULT_CLIENT;
  return isId(client) ? { id: client as ClientId } : { name: client };
}

async function findCallerByKey(store: Store, hash: string): Promise<Caller | null> {
  const key = await findApiKeyByHash(store, hash);
  if (!key) return null;
  const { id, name, role, clientId, clientName } = key;
  return { id: `key:${id}`, name, role, clientId, clientName, createdBy: `key:${name}` };
}

async function findCallerByToken(store: Store, verifier: OidcVerifier, token: string): Promise<Caller> {
  const { subject, roles, client } = await verifier.verify(token);
  const role = ROLES.find((known) => roles.includes(known));
  if (!role) throw new Problem('forbidden', 'The token gives no role here');
  const caller = { id: `user:${subject}`, name: subject, role, createdBy: `user:${subject}` };
  if (role !== 'client') return { ...caller, clientId: null, clientName: null };
  const clientId = client === undefined ? null : await findClientId(store, client);
  const found = clientId && (await findClient(store, clientId));
  if (!found) throw new Problem('forbidden', 'The token names no client');
  return { ...caller, clientId: found.id, clientName: found.name };
}
