import { join } from 'node:path';
import { root, run } from './command.mjs';
import { environmentWithOwnNode } from './own-node.mjs';

/** Sources made from others (API types, database clients); turbo remembers what is up to date. */
export function ensureGenerated() {
  const turbo = join(root, 'node_modules/.bin/turbo');
  const { ok, output } = run(turbo, ['run', 'gen', '--output-logs=errors-only'], {
    env: { ...environmentWithOwnNode(), TURBO_TELEMETRY_DISABLED: '1' },
  });
  if (!ok) throw new Error(`npm run gen failed:\n${output}`);
}
