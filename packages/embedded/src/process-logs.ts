import { readFileSync, renameSync, statSync } from 'node:fs';

const maxLogBytes = 10 * 1024 * 1024;

/** Moves a log that has grown large aside, over the one before it. */
export function rotate(logFile: string): void {
  const sizeBytes = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
  if (sizeBytes > maxLogBytes) renameSync(logFile, `${logFile}.1`);
}

/** The last lines of a log, for the one who has to explain why a process ended. */
export function tail(logFile: string): string {
  const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n');
  return lines.slice(-15).join('\n');
}
