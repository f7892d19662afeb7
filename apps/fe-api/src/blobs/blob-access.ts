import { Problem, isId, type BlobId, type ClientId } from '@connecta/contracts';
import { findBlob, type Blob, type Store } from '@connecta/store';
import type { Request } from 'express';
import { DEFAULT_CLIENT } from '../access/caller.ts';

/** Who sends a request about bytes. */
export interface BlobCaller {
  role: 'admin' | 'operator' | 'viewer' | 'client';
  /** The client that a client's own key belongs to. */
  clientId: ClientId | null;
  /** How the caller is noted on what it makes, as in orders. */
  createdBy: string;
}

/** How the blob and upload routes learn who asks and for whom. */
export interface BlobAccess {
  callerOf(req: Request): BlobCaller;
  /** The client with this id or name. */
  findClient(idOrName: string): Promise<ClientId | null>;
}

/** The client that will own what the caller sends: as for orders. @throws Problem forbidden, not_found */
export async function ownerOf(access: BlobAccess, caller: BlobCaller, named: string | undefined): Promise<ClientId> {
  if (caller.role === 'viewer') throw new Problem('forbidden', 'A viewer reads only.');
  if (named === undefined && caller.clientId) return caller.clientId;
  const clientId = await access.findClient(named ?? DEFAULT_CLIENT);
  if (!clientId || (caller.role === 'client' && clientId !== caller.clientId)) {
    throw new Problem('not_found', 'There is no such client.');
  }
  return clientId;
}

/** True when the caller may know of what this client owns. */
export function maySee(caller: BlobCaller, ownerClientId: ClientId | null): boolean {
  return caller.role !== 'client' || (ownerClientId !== null && ownerClientId === caller.clientId);
}

/** A readable blob that the caller may know of. @throws Problem not_found, gone (it has expired) */
export async function visibleBlob(store: Store, caller: BlobCaller, id: string): Promise<Blob> {
  const blob = isId(id) ? await findBlob(store, id as BlobId) : null;
  if (!blob || blob.state === 'uploading' || !maySee(caller, blob.ownerClientId)) {
    throw new Problem('not_found', 'There is no such blob.');
  }
  if (blob.state === 'deleting' || (blob.expiresAt && blob.expiresAt.getTime() <= Date.now())) {
    throw new Problem('gone', 'The blob has expired.');
  }
  return blob;
}

/** @throws Problem forbidden for a key that only reads. */
export function requireWriter(caller: BlobCaller): void {
  if (caller.role === 'viewer') throw new Problem('forbidden', 'A viewer reads only.');
}
