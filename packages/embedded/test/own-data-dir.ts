import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** A data directory for one test file, below the checkout so that Postgres' own user can reach it. */
export function ownDataDir(): { path: string; remove: () => void } {
  const root = join(import.meta.dirname, '../../../.connecta/tests');
  mkdirSync(root, { recursive: true, mode: 0o711 });
  const path = join(root, `own-${randomBytes(4).toString('hex')}`);
  const remove = (): void => {
    // In a checkout that Postgres' user cannot reach, its data lies elsewhere, behind a link.
    const data = join(path, 'postgres');
    if (existsSync(data)) rmSync(realpathSync(data), { recursive: true, force: true });
    rmSync(path, { recursive: true, force: true });
  };
  return { path, remove };
}
