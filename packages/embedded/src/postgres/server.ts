import { spawnSync } from 'node:child_process';
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { DataDir } from '../data-dir.ts';
import { commandLine, endProcess, identify } from '../process-identity.ts';
import { endLeftOver } from '../left-overs.ts';
import { SupervisedProcess } from '../supervised-process.ts';
import type { ProcessLog } from '../supervised-process.ts';
import { findPostgres } from './binaries.ts';
import type { PostgresInstallation } from './binaries.ts';

const user = 'connecta';
// SIGINT is Postgres' fast shutdown (sessions are ended), SIGQUIT its immediate one (recovers at the next start).
const stopSignals = ['SIGINT', 'SIGQUIT'] as const;
const graceMs = 8_000;

/** A Postgres server of our own; `url` names the maintenance database `postgres`. */
export interface PostgresServer {
  readonly process: SupervisedProcess;
  readonly url: string;
}

/** Makes the cluster at first use, ends a left-over server of an earlier run, and starts Postgres on loopback. */
export async function startPostgres(
  dataDir: DataDir,
  { searchPath, log }: { searchPath: string; log: ProcessLog },
): Promise<PostgresServer> {
  const found = await findPostgres(join(dataDir.path, 'postgres'), searchPath);
  const pidFile = dataDir.pidFile('postgres');
  await endLeftOver(pidFile, { signals: stopSignals, graceMs });
  await endLeftOverPostmaster(found.dataPath);
  const password = dataDir.secret('postgres');
  makeCluster(found, password);
  const port = await dataDir.port('postgres');
  const url = `postgresql://${user}:${password}@127.0.0.1:${port}/postgres`;
  const supervised = new SupervisedProcess({
    name: 'postgres',
    command: join(found.bin, 'postgres'),
    args: ['-D', found.dataPath, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])],
    env: { PATH: searchPath, LC_ALL: 'C', TZ: 'UTC' },
    cwd: '/',
    ...found.runAs,
    logFile: dataDir.logFile('postgres'),
    pidFile,
    readyTimeoutMs: 60_000,
    ready: () => answers(url),
    stopSignals,
    graceMs,
    log,
  });
  await supervised.start();
  return { process: supervised, url };
}

/** Durability stays at Postgres' own defaults; what differs is reach (loopback only) and room for many processes. */
const settings = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'max_connections=300',
  'shared_buffers=256MB',
  'max_wal_size=2GB',
] as const;

/** Made aside and renamed: a cluster whose making was cut off looks almost like a whole one. */
function makeCluster({ bin, dataPath, runAs }: PostgresInstallation, password: string): void {
  if (existsSync(join(dataPath, 'PG_VERSION'))) return checkVersion(bin, dataPath);
  const aside = `${dataPath}.new`;
  rmSync(aside, { recursive: true, force: true });
  mkdirSync(aside, { recursive: true, mode: 0o700 });
  const secretFolder = mkdtempSync(join(tmpdir(), 'connecta-'));
  try {
    const passwordFile = join(secretFolder, 'password');
    writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
    if (runAs) for (const path of [aside, secretFolder, passwordFile]) chownSync(path, runAs.uid, runAs.gid);
    const access = ['-U', user, '-A', 'scram-sha-256', `--pwfile=${passwordFile}`];
    const args = ['-D', aside, ...access, '--no-instructions', '--encoding=UTF8', '--locale=C'];
    const made = spawnSync(join(bin, 'initdb'), args, { ...runAs, cwd: '/', encoding: 'utf8' });
    if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr || String(made.error)}`);
    renameSync(aside, dataPath);
  } finally {
    rmSync(secretFolder, { recursive: true, force: true });
  }
}

function checkVersion(bin: string, dataPath: string): void {
  const made = readFileSync(join(dataPath, 'PG_VERSION'), 'utf8').trim();
  const { stdout } = spawnSync(join(bin, 'postgres'), ['--version'], { encoding: 'utf8', cwd: '/' });
  const found = /(\d+)/.exec(stdout)?.[1];
  if (made === found) return;
  throw new Error(
    `${dataPath} was made by PostgreSQL ${made}, but the one found here is ${found ?? 'unknown'}: use that version again, or remove the folder to begin empty`,
  );
}

/**
 * Postgres keeps a pid file itself, which also covers a crash of ours before our own was written. Its pid may by now
 * belong to a stranger (containers count from 1 again): then the file is stale, and Postgres would refuse to start.
 */
async function endLeftOverPostmaster(dataPath: string): Promise<void> {
  const file = join(dataPath, 'postmaster.pid');
  if (!existsSync(file)) return;
  const identity = identify(Number(readFileSync(file, 'utf8').split('\n')[0]));
  if (identity && commandLine(identity.pid).includes(dataPath)) {
    await endProcess(identity, { signals: stopSignals, graceMs });
  } else {
    rmSync(file, { force: true });
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } finally {
    await client.end().catch(() => undefined);
  }
}
