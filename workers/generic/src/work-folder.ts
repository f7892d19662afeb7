import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where images that are too large for memory are kept while a job runs. */
export function workFolder(dataDir: string | undefined): string {
  return join(dataDir ?? join(tmpdir(), 'connecta-generic'), 'images');
}
