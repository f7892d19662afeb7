import type {
  BlobId,
  BlobRef,
  ClientId,
  FunctionBehaviour,
  JsonValue,
  ProfileId,
  WorkflowVersionId,
} from '@connecta/contracts';
import { BLOB_LASTS } from '../blobs/blob.ts';
import type { Store } from '../store.ts';

/** What intake wants to know about the requests of one group. */
export interface WantedFacts {
  clientIds: readonly string[];
  clientNames: readonly string[];
  /** A version of null stands for the latest. */
  workflows: readonly { name: string; version: number | null }[];
  profiles: readonly { workerType: string; name: string }[];
  blobIds: readonly string[];
  keys: readonly { scope: string; key: string }[];
}

export interface ClientFact {
  id: ClientId;
  name: string;
  workflow: string | null;
}

export interface WorkflowFact {
  name: string;
  /** As it was asked for. */
  wanted: number | null;
  version: number;
  id: WorkflowVersionId;
}

export interface ProfileFact {
  workerType: string;
  name: string;
  id: ProfileId;
  function: string;
  revision: number;
  /** The task that this one stands for. */
  aliasOf: string | null;
  /** What its type told of the function; null when it told nothing. */
  behaviour?: FunctionFact | null;
}

/** What a plan may pin of a function. */
export interface FunctionFact extends FunctionBehaviour {
  version?: string;
  cacheable?: boolean;
}

export interface BlobFact extends BlobRef {
  ownerClientId: ClientId | null;
}

export interface KeyFact {
  scope: string;
  key: string;
  bodyHash: string;
  answer: JsonValue;
}

/** What of it exists: clients, workflows and profiles that are not deleted, readable blobs, keys of the last 24 hours. */
export interface IntakeFacts {
  /** Names the state that the clients, workflows and profiles are of, until one of them changes; null when nobody keeps it. */
  generation: string | null;
  clients: ClientFact[];
  workflows: WorkflowFact[];
  profiles: ProfileFact[];
  blobs: BlobFact[];
  keys: KeyFact[];
}

/** One round trip and one snapshot for all that a group of requests refers to. */
export async function readIntakeFacts(store: Store, wanted: WantedFacts): Promise<IntakeFacts> {
  const { rows } = await store.pool.query<IntakeFacts>({
    name: 'read_intake_facts',
    text: `SELECT
      (SELECT g.generation FROM intake_generation g WHERE g.one) AS generation,
      (SELECT coalesce(json_agg(json_build_object('id', c.id, 'name', c.name, 'workflow', c.workflow)), '[]')
       FROM clients c WHERE c.id = ANY($1::uuid[]) OR c.name = ANY($2::text[])) AS clients,
      (SELECT coalesce(json_agg(json_build_object('name', v.name, 'wanted', x.version, 'version', v.version, 'id', v.id)), '[]')
       FROM unnest($3::text[], $4::int[]) x(name, version)
       JOIN workflows w ON w.name = x.name AND w.deleted_at IS NULL
       JOIN workflow_versions v ON v.name = w.name AND v.version = coalesce(x.version, w.latest_version)) AS workflows,
      (SELECT coalesce(json_agg(json_build_object('workerType', p.worker_type, 'name', p.name, 'id', p.id,
         'function', p.function, 'revision', p.revision, 'aliasOf', p.alias_of,
         'behaviour', t.behaviour->p.function)), '[]')
       FROM unnest($5::text[], $6::text[]) x(worker_type, name)
       JOIN profiles p ON p.worker_type = x.worker_type AND p.name = x.name AND p.deleted_at IS NULL
       LEFT JOIN worker_types t ON t.name = p.worker_type) AS profiles,
      (SELECT coalesce(json_agg(json_build_object('blobId', b.id, 'mediaType', b.media_type, 'size', b.size,
         'sha256', b.sha256, 'ownerClientId', b.owner_client_id)), '[]')
       FROM blobs b WHERE b.id = ANY($7::uuid[]) AND b.state = 'ready' AND ${BLOB_LASTS}) AS blobs,
      (SELECT coalesce(json_agg(json_build_object('scope', k.scope, 'key', k.key, 'bodyHash', k.body_hash, 'answer', k.answer)), '[]')
       FROM unnest($8::text[], $9::text[]) x(scope, key)
       JOIN idempotency_keys k ON k.scope = x.scope AND k.key = x.key
       WHERE k.created_at > now() - interval '24 hours') AS keys`,
    values: [
      ...[wanted.clientIds, wanted.clientNames],
      ...[wanted.workflows.map((w) => w.name), wanted.workflows.map((w) => w.version)],
      ...[wanted.profiles.map((p) => p.workerType), wanted.profiles.map((p) => p.name)],
      wanted.blobIds,
      ...[wanted.keys.map((k) => k.scope), wanted.keys.map((k) => k.key)],
    ],
  });
  return rows[0] as IntakeFacts;
}

/** A fact's blob as the reference by which it travels. */
export function blobRefOfFact({ blobId, mediaType, size, sha256 }: BlobFact): BlobRef {
  return { blobId: blobId satisfies BlobId, mediaType, size, sha256 };
}
