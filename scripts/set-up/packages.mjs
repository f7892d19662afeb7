import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { note, root, runNpm } from './command.mjs';

const stampFile = join(root, 'node_modules/.connecta-installed');
const quietly = ['--no-audit', '--no-fund', '--loglevel=error'];

/** Installs packages when what is there is not what package-lock.json says. */
export function ensurePackages() {
  if (isInstalled()) return;
  note('Installing packages (one to three minutes the first time)…');
  const exact = runNpm(['ci', ...quietly]);
  // `npm ci` refuses a lock file that lacks the binaries of *other* platforms, which a registry mirror may not carry.
  // `install` keeps to the same versions, and with `--no-save` to the same lock file.
  const { ok, output } = exact.ok ? exact : runNpm(['install', '--no-save', ...quietly]);
  if (!ok) throw new Error(`npm ci failed:\n${exact.output}\n\nand so did npm install:\n${output}`);
  writeFileSync(stampFile, lockHash());
}

/**
 * Either by our own stamp, or because somebody ran npm: it writes node_modules/.package-lock.json as the last act of an
 * installation. Packages for other platforms stand in the lock file only.
 */
function isInstalled() {
  if (!existsSync(join(root, 'node_modules/.bin/node'))) return false;
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === lockHash()) return true;
  const installed = readLock('node_modules/.package-lock.json');
  if (!installed) return false;
  return Object.entries(readLock('package-lock.json').packages).every(([path, wanted]) => {
    if (!path.includes('node_modules/') || wanted.optional || wanted.devOptional || wanted.peer) return true;
    const found = installed.packages[path];
    return wanted.link ? found?.resolved === wanted.resolved : found?.version === wanted.version;
  });
}

const lockHash = () =>
  createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');

function readLock(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8'));
  } catch {
    return undefined;
  }
}
