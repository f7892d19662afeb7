import { mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { ProcessSpec } from './environment.ts';

/** What the quick start sets up so that the examples in `examples/legacy` can be tried. */
export interface LegacySamples {
  /** For the `cu` worker's processes. */
  readonly env: Readonly<Record<string, string>>;
  /** The resident program that watches a folder, and the inbox whose files become orders of the client `default`. */
  readonly programs: readonly ProcessSpec[];
}

/**
 * Folders below the `cu` worker's own: `slow-folder/` is watched by the resident program, `files/` is a share, files
 * dropped into `inbox/` become orders whose results appear in `outbox/`.
 */
export function legacySamples(options: {
  repository: string;
  folder: string;
  beUrl: string;
  serviceAccountKey: string;
}): LegacySamples {
  const { repository, folder, beUrl, serviceAccountKey } = options;
  const path = (...names: string[]): string => join(folder, ...names);
  for (const name of ['files', 'slow-folder/in', 'slow-folder/out', 'inbox', 'outbox', 'rejected']) {
    mkdirSync(path(name), { recursive: true, mode: 0o700 });
  }
  const inbox = {
    ...{ name: 'inbox', path: path('inbox'), outbox: path('outbox'), rejected: path('rejected'), create: true },
    ...{ client: 'default', tasks: ['cu/upper-filter'] },
  };
  const env = {
    CU_COMMANDS: ['gzip', join(repository, 'examples/legacy/upper-filter')].join(delimiter),
    CU_SHARES: JSON.stringify({
      'slow-folder': { path: path('slow-folder'), uses: ['exchange'] },
      files: { path: path('files'), uses: ['read', 'write'] },
    }),
  };
  const inboxEnv = {
    ...env,
    CU_INBOXES: JSON.stringify([inbox]),
    BE_API_URL: beUrl,
    SERVICE_ACCOUNT_KEY: serviceAccountKey,
  };
  return {
    env,
    programs: [
      {
        name: 'legacy-slow-folder',
        entry: 'examples/legacy/slow-folder.mjs',
        env: { SLOW_FOLDER: path('slow-folder') },
      },
      { name: 'cu-inbox', entry: 'workers/cu/src/inbox.ts', env: inboxEnv },
    ],
  };
}
