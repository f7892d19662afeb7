import type { JsonValue } from './values.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A line that a function logged; as JSON it has `LOG_LIMITS.lineBytes` at most. */
export interface LogLine {
  /** ISO 8601, the worker's clock. */
  at: string;
  level: LogLevel;
  message: string;
  fields?: { [name: string]: JsonValue };
  /** Set where the line was longer. */
  truncated?: boolean;
}

/** How much of what an attempt logs is kept. */
export const LOG_LIMITS = { lineBytes: 8192, lines: 10_000, bytes: 1_000_000, batchLines: 1000 } as const;

/** The line with its fields left out, and its message cut, where it is too long. */
export function boundedLine(line: LogLine): LogLine {
  if (bytesOf(line) <= LOG_LIMITS.lineBytes) return line;
  const { fields: _, ...rest } = line;
  let cut: LogLine = { ...rest, truncated: true };
  while (bytesOf(cut) > LOG_LIMITS.lineBytes) {
    cut = { ...cut, message: cut.message.slice(0, Math.floor(cut.message.length * 0.75)).toWellFormed() };
  }
  return cut;
}

function bytesOf(line: LogLine): number {
  return Buffer.byteLength(JSON.stringify(line));
}
