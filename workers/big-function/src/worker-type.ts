import type { JobFolders, WorkerType } from '@connecta/worker-kit';
import { samples } from './samples.ts';
import { tilesFunction } from './tiles/tiles.ts';

/** The worker type `big-function`: long work in steps, with progress and checkpoints. */
export function bigFunctionWorkerType(folders: Pick<JobFolders, 'use'>): WorkerType {
  return {
    type: 'big-function',
    version: '0.1.0',
    owner: { team: 'Connecta', contact: 'connecta@example.org' },
    functions: [tilesFunction(folders)],
    samples,
  };
}
