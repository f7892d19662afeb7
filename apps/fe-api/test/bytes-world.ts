import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { newId, type ClientId } from '@connecta/contracts';
import { openBlobs, type Blobs } from '@connecta/blobs';
import { testServices } from '@connecta/embedded';
import { startServer } from '@connecta/runtime';
import { openStore, type Store } from '@connecta/store';
import type { BlobCaller } from '../src/blobs/blob-access.ts';
import { createBytesApi } from './bytes-api.ts';
import type { BytesServerSettings } from './bytes-server.ts';

/** A database, a container, clients and callers for one test file. */
export interface BytesWorld {
  store: Store;
  blobs: Blobs;
  blobConnectionString: string;
  container: string;
  clients: { own: ClientId; other: ClientId };
  /** Starts a replica in this process; its URL. */
  replica(options?: { blobs?: Blobs; maxBlobBytes?: number; uploadTtlMs?: number }): Promise<string>;
  /** Starts a replica in a process of its own. */
  process(): Promise<{ url: string; pid: number }>;
  close(): Promise<void>;
}

export async function openBytesWorld(): Promise<BytesWorld> {
  const services = await testServices();
  const closers = [() => services.close()];
  const databaseUrl = await services.databaseUrl('bytes');
  const store = openStore({ databaseUrl, applicationName: 'test' });
  closers.push(() => store.close());
  const clients = { own: newId<ClientId>(), other: newId<ClientId>() };
  await store.prisma.client.create({ data: { id: clients.own, name: 'own' } });
  await store.prisma.client.create({ data: { id: clients.other, name: 'other', retentionDays: 1 } });
  const { blobConnectionString } = services;
  const container = `bytes-${newId()}`;
  const blobs = await openBlobs({ connectionString: blobConnectionString, container });
  const callers = new Map<string, BlobCaller>([
    ['own', { role: 'client', clientId: clients.own, createdBy: 'key:own' }],
    ['other', { role: 'client', clientId: clients.other, createdBy: 'key:other' }],
    ['operator', { role: 'operator', clientId: null, createdBy: 'key:operator' }],
    ['viewer', { role: 'viewer', clientId: null, createdBy: 'key:viewer' }],
  ]);
  return {
    store,
    blobs,
    blobConnectionString,
    container,
    clients,
    async replica(options = {}) {
      const server = await startServer(createBytesApi({ store, blobs, callers, ...options }), { port: 0 });
      closers.push(() => server.close(0));
      return server.url;
    },
    async process() {
      const settings: BytesServerSettings = { databaseUrl, blobConnectionString, container, callers: [...callers] };
      const file = fileURLToPath(new URL('./bytes-server.ts', import.meta.url));
      const child = spawn(process.execPath, [file, JSON.stringify(settings)], { stdio: ['ignore', 'pipe', 'inherit'] });
      closers.push(async () => {
        child.kill('SIGKILL');
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      });
      const [line] = (await once(child.stdout, 'data')) as [Buffer];
      return { url: line.toString().trim(), pid: child.pid ?? 0 };
    },
    async close() {
      for (const close of closers.reverse()) await close();
    },
  };
}
