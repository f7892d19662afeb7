import { openBlobs } from '@connecta/blobs';
import { startServer } from '@connecta/runtime';
import { openStore } from '@connecta/store';
import type { BlobCaller } from '../src/blobs/blob-access.ts';
import { createBytesApi } from './bytes-api.ts';

/** One replica of the upload and blob routes as a process of its own; its settings are its one argument, as JSON. */
export interface BytesServerSettings {
  databaseUrl: string;
  blobConnectionString: string;
  container: string;
  callers: [string, BlobCaller][];
}

const settings = JSON.parse(process.argv[2] ?? '') as BytesServerSettings;
const store = openStore({ databaseUrl: settings.databaseUrl, applicationName: 'bytes-server' });
const blobs = await openBlobs({ connectionString: settings.blobConnectionString, container: settings.container });
const server = await startServer(createBytesApi({ store, blobs, callers: new Map(settings.callers) }), { port: 0 });
process.stdout.write(`${server.url}\n`);
