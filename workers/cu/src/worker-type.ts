import type { JobFolders, WorkerType } from '@connecta/worker-kit';
import { cuFunctions, type CuRules } from './functions.ts';
import { cuSamples } from './samples.ts';
import { Shares } from './shares/shares.ts';

/** The worker type `cu`: programs that only know files. */
export function cuWorkerType(rules: CuRules, folders: Pick<JobFolders, 'use'>): WorkerType {
  return {
    type: 'cu',
    version: '0.1.0',
    owner: { team: 'Connecta', contact: 'connecta@example.org' },
    functions: cuFunctions(rules, { folders, shares: new Shares(rules.shares) }),
    samples: cuSamples(rules),
  };
}
