import { accessSync, constants, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import type { DataDir } from '../data-dir.ts';
import { endLeftOver } from '../left-overs.ts';
import { SupervisedProcess } from '../supervised-process.ts';
import type { ProcessLog } from '../supervised-process.ts';

const programs = ['valkey-server', 'redis-server', 'keydb-server'] as const;
const usualFolders = ['/usr/bin', '/usr/sbin', '/usr/local/bin', '/usr/local/sbin', '/opt/homebrew/bin'] as const;
const stopSignals = ['SIGTERM'] as const;
const graceMs = 8_000;

/** A Redis (or Valkey, or KeyDB) server of our own. */
export interface RedisServer {
  readonly process: SupervisedProcess;
  readonly url: string;
  /** Removes all it kept; only while it is stopped. */
  readonly empty: () => void;
}

/** The path of a Redis-compatible server on this machine, or undefined. */
export function findRedis(searchPath: string): string | undefined {
  const folders = [...searchPath.split(delimiter), ...usualFolders];
  return programs.flatMap((program) => folders.map((folder) => join(folder, program))).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Starts Redis on loopback with a password, an append-only file and `noeviction`. */
export async function startRedis(
  dataDir: DataDir,
  { command, searchPath, log, empty }: { command: string; searchPath: string; log: ProcessLog; empty: boolean },
): Promise<RedisServer> {
  const pidFile = dataDir.pidFile('redis');
  await endLeftOver(pidFile, { signals: stopSignals, graceMs });
  const folder = join(dataDir.path, 'redis');
  const emptyFolder = (): void => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  };
  if (empty) emptyFolder();
  else mkdirSync(folder, { recursive: true, mode: 0o700 });
  const [port, password] = [await dataDir.port('redis'), dataDir.secret('redis')];
  // A file, not arguments: arguments can be read by every user of the machine.
  const configFile = join(dataDir.path, 'run', 'redis.conf');
  writeFileSync(configFile, configuration({ port, password, folder }), { mode: 0o600 });
  const supervised = new SupervisedProcess({
    name: 'redis',
    command,
    args: [configFile],
    env: { PATH: searchPath, LC_ALL: 'C', TZ: 'UTC' },
    cwd: folder,
    logFile: dataDir.logFile('redis'),
    pidFile,
    readyTimeoutMs: 60_000,
    ready: () => answers(port, password),
    stopSignals,
    graceMs,
    log,
  });
  await supervised.start();
  return {
    process: supervised,
    url: `redis://default:${password}@127.0.0.1:${port}`,
    empty: emptyFolder,
  };
}

function configuration({ port, password, folder }: { port: number; password: string; folder: string }): string {
  return [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir "${folder}"`,
    `requirepass ${password}`,
    'appendonly yes',
    'appendfsync everysec',
    'save ""',
    // Evicting a key would lose a job without a word.
    'maxmemory-policy noeviction',
    'daemonize no',
    '',
  ].join('\n');
}

/** Asks with two inline commands, so that no client library is needed here; false while it still loads its file. */
function answers(port: number, password: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`AUTH ${password}\r\nPING\r\n`));
    const done = (ready: boolean): void => {
      socket.destroy();
      resolve(ready);
    };
    let reply = '';
    socket.setTimeout(2_000, () => done(false));
    socket.on('error', () => done(false));
    socket.on('close', () => done(false));
    socket.on('data', (chunk) => {
      reply += chunk.toString();
      if (reply.includes('+PONG')) done(true);
      else if (reply.includes('-')) done(false);
    });
  });
}
