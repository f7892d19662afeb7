import { mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import type { DataDir } from '../data-dir.ts';
import { endLeftOver } from '../left-overs.ts';
import { SupervisedProcess } from '../supervised-process.ts';
import type { ProcessLog } from '../supervised-process.ts';

const account = 'connecta';
const stopSignals = ['SIGTERM'] as const;
const graceMs = 8_000;

/** A Blob Storage emulator (Azurite) of our own; `url` is its connection string. */
export interface BlobServer {
  readonly process: SupervisedProcess;
  readonly url: string;
  /** Removes all it kept; only while it is stopped. */
  readonly empty: () => void;
}

/**
 * Starts Azurite on loopback with an account key of its own (its well-known key is public).
 *
 * Azurite writes its index of blobs every five seconds and when it is stopped: after a `kill -9` the blobs of the last
 * seconds may be gone. It is a stand-in for development; Azure itself has no such gap.
 */
export async function startBlobs(
  dataDir: DataDir,
  { searchPath, log, empty }: { searchPath: string; log: ProcessLog; empty: boolean },
): Promise<BlobServer> {
  const pidFile = dataDir.pidFile('blobs');
  await endLeftOver(pidFile, { signals: stopSignals, graceMs });
  const folder = join(dataDir.path, 'blobs');
  const emptyFolder = (): void => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  };
  if (empty) emptyFolder();
  else mkdirSync(folder, { recursive: true, mode: 0o700 });
  const [port, secret] = [await dataDir.port('blobs'), dataDir.secret('blobs', 64)];
  // The protocol wants base64 with its own alphabet and padding.
  const key = Buffer.from(secret, 'base64url').toString('base64');
  const supervised = new SupervisedProcess({
    name: 'blobs',
    command: process.execPath,
    args: [azuriteProgram(), ...azuriteArguments(port, folder)],
    env: { PATH: searchPath, LC_ALL: 'C', TZ: 'UTC', AZURITE_ACCOUNTS: `${account}:${key}` },
    cwd: folder,
    logFile: dataDir.logFile('blobs'),
    pidFile,
    readyTimeoutMs: 60_000,
    ready: () => listens(port),
    stopSignals,
    graceMs,
    log,
  });
  await supervised.start();
  const endpoint = `http://127.0.0.1:${port}/${account}`;
  return {
    process: supervised,
    url: `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${key};BlobEndpoint=${endpoint};`,
    empty: emptyFolder,
  };
}

function azuriteProgram(): string {
  const manifest = createRequire(import.meta.url).resolve('azurite/package.json');
  return join(dirname(manifest), 'dist/src/blob/main.js');
}

function azuriteArguments(port: number, folder: string): readonly string[] {
  const place = ['--blobHost', '127.0.0.1', '--blobPort', String(port), '--location', folder];
  // The SDK may be newer than the emulator knows.
  return [...place, '--silent', '--skipApiVersionCheck', '--disableTelemetry'];
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
