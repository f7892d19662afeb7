import { PrismaPg } from '@prisma/adapter-pg';
import type { ProfileId } from '@connecta/contracts';
import { PrismaClient } from '../generated/prisma/client.ts';
import type { StoredSettings } from './settings.ts';

/** A worker type's own database. */
export interface ProfileStore {
  readonly prisma: PrismaClient;
  close(): Promise<void>;
}

/** A profile at its newest revision, as the database holds it. */
export interface StoredProfile extends StoredSettings {
  id: ProfileId;
  name: string;
  function: string;
  revision: number;
  createdAt: Date;
  updatedAt: Date;
  deletedAt: Date | null;
}

/** A profile as it was at one revision. */
export interface StoredRevision extends StoredSettings {
  profileId: ProfileId;
  revision: number;
  name: string;
  function: string;
  createdAt: Date;
}

/** Opens a worker type's database. Nothing is connected until the first query; a broken connection is replaced. */
export function openProfileStore(options: {
  databaseUrl: string;
  applicationName: string;
  /** Told of idle connections that broke: without a listener such an error would end the process. */
  onError: (error: Error) => void;
}): ProfileStore {
  const adapter = new PrismaPg(
    {
      connectionString: options.databaseUrl,
      application_name: options.applicationName,
      max: 5,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
      statement_timeout: 10_000,
      idle_in_transaction_session_timeout: 10_000,
    },
    { onPoolError: options.onError, onConnectionError: options.onError },
  );
  const prisma = new PrismaClient({ adapter });
  return { prisma, close: () => prisma.$disconnect() };
}

/** A row's JSON columns as the words of this package: nobody else writes them. */
export function storedOf(row: { settings: unknown; secrets: unknown }): StoredSettings {
  const { settings, secrets } = row as StoredSettings;
  return { settings, secrets };
}
