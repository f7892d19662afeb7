import { createHash } from 'node:crypto';
import { newId } from '@connecta/contracts';
import pg from 'pg';

/** An account that is to exist, with a key that was made elsewhere. */
export interface ServiceAccountSeed {
  readonly workerType: string;
  readonly key: string;
  /** The type's name by default. */
  readonly name?: string;
  /** Names of clients, `*` for all. None by default; an existing account keeps its own unless they are given. */
  readonly allowedClients?: readonly string[];
  /** Whether it may name files of legacy shares. Not by default; an existing account keeps its own unless it is given. */
  readonly mayNameFiles?: boolean;
}

/**
 * Makes service accounts exist with these keys; run again it changes nothing, with another key it replaces the old one.
 * For launchers and deployments, which know the keys before any process runs.
 */
export async function seedServiceAccounts(databaseUrl: string, accounts: readonly ServiceAccountSeed[]): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'connecta-seed' });
  await client.connect();
  try {
    for (const { workerType, key, name = workerType, allowedClients, mayNameFiles } of accounts) {
      await client.query(
        `INSERT INTO service_accounts AS a (id, name, worker_type, allowed_clients, hash, may_name_files)
         VALUES ($1, $2, $3, coalesce($4::text[], '{}'), $5, coalesce($6, false))
         ON CONFLICT (name) DO UPDATE SET worker_type = excluded.worker_type, hash = excluded.hash, revoked_at = NULL,
           allowed_clients = coalesce($4::text[], a.allowed_clients),
           may_name_files = coalesce($6, a.may_name_files)`,
        [
          ...[newId(), name, workerType, allowedClients ?? null, createHash('sha256').update(key).digest('hex')],
          mayNameFiles ?? null,
        ],
      );
    }
  } finally {
    await client.end();
  }
}
