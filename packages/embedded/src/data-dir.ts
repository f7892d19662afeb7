import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { lockDataDir } from './owner-lock.ts';
import { choosePort } from './ports.ts';

/** A data directory that this process owns: ports and secrets made once and kept, logs, pid files. */
export interface DataDir {
  readonly path: string;
  /** The same port for the same name at every start, unless a stranger sits on it. */
  port(name: string): Promise<number>;
  /** A random secret (base64url, `sizeBytes` long before encoding), made at first use, kept in a file of mode 0600. */
  secret(name: string, sizeBytes?: number): string;
  logFile(name: string): string;
  pidFile(name: string): string;
  /** Gives the directory up; a second call does nothing. */
  release(): void;
}

/** Opens and locks a data directory. Throws {@link DataDirInUseError} when another live process owns it. */
export function openDataDir(path: string): DataDir {
  const root = resolve(path);
  // Others may pass through (Postgres runs as another user when we are root) but not look around.
  mkdirSync(root, { recursive: true, mode: 0o711 });
  const release = lockDataDir(root);
  for (const folder of ['logs', 'run']) mkdirSync(join(root, folder), { recursive: true, mode: 0o700 });
  const ports = new KeptValues<number>(join(root, 'ports.json'));
  const secrets = new KeptValues<string>(join(root, 'secrets.json'));
  return {
    path: root,
    async port(name) {
      const port = await choosePort(ports.get(name));
      ports.set(name, port);
      return port;
    },
    secret(name, sizeBytes = 24) {
      const kept = secrets.get(name);
      if (kept !== undefined) return kept;
      const made = randomBytes(sizeBytes).toString('base64url');
      secrets.set(name, made);
      return made;
    },
    logFile: (name) => join(root, 'logs', `${name}.log`),
    pidFile: (name) => join(root, 'run', `${name}.json`),
    release,
  };
}

/** A small JSON object in a file of mode 0600, replaced as a whole so that a crash leaves the old or the new one. */
class KeptValues<Value> {
  readonly #file: string;
  readonly #values: Record<string, Value>;

  constructor(file: string) {
    this.#file = file;
    this.#values = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, Value>) : {};
    if (existsSync(file)) chmodSync(file, 0o600);
  }

  get(name: string): Value | undefined {
    return this.#values[name];
  }

  set(name: string, value: Value): void {
    if (this.#values[name] === value) return;
    this.#values[name] = value;
    writeFileSync(`${this.#file}.new`, `${JSON.stringify(this.#values, null, 2)}\n`, { mode: 0o600 });
    renameSync(`${this.#file}.new`, this.#file);
  }
}
