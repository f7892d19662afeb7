import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readTestConfig } from './config.ts';
import { shareTestServices } from './test-services.ts';

const running: { stop?: () => Promise<void> } = {};

/** Jest's `globalSetup`: starts the services once for all test files, unless the run has them or no file uses them. */
export async function setupTestServices(rootDir: string): Promise<void> {
  if (readTestConfig().shared ?? !usesServices(rootDir)) return;
  const stack = await shareTestServices();
  running.stop = () => stack.stop();
}

/** Jest's `globalTeardown`. */
export async function teardownTestServices(): Promise<void> {
  await running.stop?.();
}

function usesServices(rootDir: string): boolean {
  const files = ['src', 'test'].flatMap((folder) => typescriptFiles(join(rootDir, folder)));
  return files.some((file) => readFileSync(file, 'utf8').includes('testServices'));
}

function typescriptFiles(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name));
}
