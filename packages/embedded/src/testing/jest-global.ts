import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Embedded } from '../start-embedded.ts';
import { readTestConfig, shareServices } from './config.ts';
import { startSharedServices } from './test-services.ts';

const running: { stack?: Embedded } = {};

/** Jest's `globalSetup`: starts the services once for all test files, unless the run has them or no file uses them. */
export async function setup(rootDir: string): Promise<void> {
  if (readTestConfig().shared ?? !usesServices(rootDir)) return;
  const { stack, services } = await startSharedServices();
  running.stack = stack;
  shareServices(services);
}

/** Jest's `globalTeardown`. */
export async function teardown(): Promise<void> {
  await running.stack?.stop();
}

function usesServices(rootDir: string): boolean {
  return ['src', 'test'].some((folder) =>
    testFiles(join(rootDir, folder)).some((file) => /\btestServices\b/.test(readFileSync(file, 'utf8'))),
  );
}

function testFiles(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => join(entry.parentPath, entry.name));
  } catch {
    return [];
  }
}
