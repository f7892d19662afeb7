import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** The system that `npm start` keeps in a data directory. */
export interface LocalSystem {
  readonly dataDir: string;
  readonly url: string;
  /** The first admin key; only the owner of the directory can read it. */
  readonly key: string | undefined;
  /** What the system's worker APIs open to. */
  readonly gatewayKey: string | undefined;
}

/** The repository that this command belongs to. */
export const repository = resolve(import.meta.dirname, '../../../..');

const DEFAULT_FE_PORT = 4000;

/** The local system: CONNECTA_DATA_DIR, or `.connecta` here, in a folder above, or in the repository. */
export function findLocalSystem(
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): LocalSystem | undefined {
  const given = env['CONNECTA_DATA_DIR'];
  const dataDir =
    given !== undefined && given !== ''
      ? resolve(repository, given)
      : [...foldersUp(cwd), repository].map((folder) => join(folder, '.connecta')).find(isDataDir);
  if (dataDir === undefined || !existsSync(dataDir)) return undefined;
  const access = readJson(join(dataDir, 'access.json'));
  const secrets = readJson(join(dataDir, 'secrets.json'));
  const secret = textOf(secrets?.['admin-key']);
  const port = Number(env['CONNECTA_FE_PORT'] || DEFAULT_FE_PORT);
  return {
    dataDir,
    gatewayKey: textOf(secrets?.['gateway-key']),
    url: textOf(access?.['url']) ?? `http://127.0.0.1:${port}`,
    key:
      env['CONNECTA_ADMIN_KEY'] ||
      (textOf(access?.['adminKey']) ?? (secret === undefined ? undefined : `ck_${secret}`)),
  };
}

function foldersUp(from: string): string[] {
  const folders = [resolve(from)];
  for (let folder = resolve(from); folder !== dirname(folder); folder = dirname(folder)) folders.push(dirname(folder));
  return folders;
}

const isDataDir = (path: string): boolean =>
  existsSync(join(path, 'secrets.json')) || existsSync(join(path, 'access.json'));

/** A JSON object from a file; undefined when it is not there or not for us to read. */
function readJson(path: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
