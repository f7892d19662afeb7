import type { JobFolders, WorkerType } from '@connecta/worker-kit';
import { genericFunctions } from './functions.ts';
import { samples } from './samples.ts';

/** The worker type `generic`: small functions of numbers, images and JSON. */
export function genericWorkerType(folders: Pick<JobFolders, 'use'>): WorkerType {
  return {
    type: 'generic',
    version: '0.1.0',
    owner: { team: 'Connecta', contact: 'connecta@example.org' },
    functions: genericFunctions({ folders }),
    samples,
  };
}
