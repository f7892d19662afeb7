import { readFileSync, rmSync } from 'node:fs';
import { endProcess } from './process-identity.ts';
import type { ProcessIdentity } from './process-identity.ts';

/** Ends what an earlier run left behind under this pid file, if it really is that process. */
export async function endLeftOver(
  pidFile: string,
  how: { signals: readonly NodeJS.Signals[]; graceMs: number },
): Promise<void> {
  let identity: ProcessIdentity;
  try {
    identity = JSON.parse(readFileSync(pidFile, 'utf8')) as ProcessIdentity;
  } catch {
    return;
  }
  await endProcess(identity, how);
  rmSync(pidFile, { force: true });
}
