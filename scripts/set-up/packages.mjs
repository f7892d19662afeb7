import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { note, root, runNpm } from './command.mjs';

/** `npm ci` when what is installed is not what package-lock.json says. */
export function ensurePackages() {
  if (isInstalled()) return;
  note('Installing packages (one to three minutes the first time)…');
  const { ok, output } = runNpm(['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  if (!ok) throw new Error(`npm ci failed:\n${output}`);
}

/**
 * npm writes node_modules/.package-lock.json as the last act of an installation: it is the stamp of what is there,
 * whoever installed it. Packages for other platforms stand in the lock file only.
 */
function isInstalled() {
  const installed = readLock('node_modules/.package-lock.json');
  if (!installed || !existsSync(join(root, 'node_modules/.bin/node'))) return false;
  return Object.entries(readLock('package-lock.json').packages).every(([path, wanted]) => {
    if (!path.includes('node_modules/') || wanted.optional || wanted.devOptional || wanted.peer) return true;
    const found = installed.packages[path];
    return wanted.link ? found?.resolved === wanted.resolved : found?.version === wanted.version;
  });
}

function readLock(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8'));
  } catch {
    return undefined;
  }
}
