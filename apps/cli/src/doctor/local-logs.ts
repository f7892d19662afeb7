import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';

/** The last thing that a process of the local system had to complain about. */
export interface Complaint {
  readonly process: string;
  readonly message: string;
  readonly at: number;
}

const TAIL_BYTES = 64 * 1024;
const ERROR_LEVEL = 50;
const FRESH_MS = 24 * 3_600_000;

/** The last error in each log of a data directory, the newest first; old ones say nothing about now. */
export function lastComplaints(dataDir: string): Complaint[] {
  const folder = join(dataDir, 'logs');
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.log'))
      .flatMap((name) => lastIn(join(folder, name), name.replace(/\.log$/, '')) ?? [])
      .filter(({ at }) => Date.now() - at < FRESH_MS)
      .sort((a, b) => b.at - a.at)
      .slice(0, 5);
  } catch {
    return [];
  }
}

function lastIn(path: string, process: string): Complaint | undefined {
  for (const line of tailOf(path).split('\n').reverse()) {
    const entry = entryOf(line);
    if (!entry || Number(entry['level']) < ERROR_LEVEL) continue;
    const err = entry['err'] as { message?: unknown } | undefined;
    const message = [entry['msg'], err?.message].filter((part) => typeof part === 'string').join(': ');
    const time = entry['time'];
    return { process, message, at: typeof time === 'number' ? time : Date.parse(String(time)) };
  }
  return undefined;
}

function entryOf(line: string): Record<string, unknown> | undefined {
  try {
    const entry = JSON.parse(line) as Record<string, unknown> | null;
    return entry && typeof entry === 'object' && 'level' in entry ? entry : undefined;
  } catch {
    return undefined;
  }
}

function tailOf(path: string): string {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES));
    readSync(file, bytes, 0, bytes.length, size - bytes.length);
    return bytes.toString('utf8');
  } finally {
    closeSync(file);
  }
}
