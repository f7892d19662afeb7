/**
 * Makes a fresh checkout runnable: packages, a Redis where that is simple, generated sources. Runs on the system's own
 * Node (20 or newer) before anything is installed, so it imports nothing but Node; what is done already costs a moment.
 */
import { ensureGenerated } from './set-up/generated.mjs';
import { ensurePackages } from './set-up/packages.mjs';
import { ensureRedis } from './set-up/redis.mjs';

const oldestNode = 20;

export function setUp() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < oldestNode) throw new Error(`Node ${oldestNode} or newer is needed; this is ${process.version}`);
  ensurePackages();
  ensureRedis();
  ensureGenerated();
}

if (import.meta.url === new URL(`file://${process.argv[1]}`).href) setUp();
