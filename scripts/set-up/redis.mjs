import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { note, run } from './command.mjs';

const programs = ['valkey-server', 'redis-server', 'keydb-server'];
const usualFolders = ['/usr/bin', '/usr/sbin', '/usr/local/bin', '/usr/local/sbin', '/opt/homebrew/bin'];
const installTimeoutMs = 120_000;

/** Installs Redis where nobody has to be asked (root, apt-get); without it the queue runs on Postgres. */
export function ensureRedis() {
  if (process.env.REDIS_URL || process.env.QUEUE_BACKEND === 'postgres' || find(programs)) return;
  if (process.getuid?.() !== 0 || !find(['apt-get'])) return;
  note('Installing Redis with apt-get…');
  if (!install() && !(update() && install())) note('Redis could not be installed: the queue will run on Postgres.');
}

function install() {
  return aptGet(['install', '-y', '--no-install-recommends', 'redis-server']).ok;
}

function update() {
  return aptGet(['update']).ok;
}

function aptGet(args) {
  // In run level 1 the package does not start a server of its own on port 6379.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  return run('apt-get', ['-qq', ...args], { env, timeout: installTimeoutMs });
}

function find(names) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...usualFolders];
  return names.some((name) => folders.some((folder) => existsSync(join(folder, name))));
}
