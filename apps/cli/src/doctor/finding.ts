import type { ExitCode } from '../failures.ts';

/** What one look at the installation found. */
export interface Finding {
  readonly name: string;
  readonly state: 'ok' | 'warn' | 'bad' | 'skipped';
  /** One sentence. */
  readonly message: string;
  readonly hint?: string;
  /** With which code the process ends when this is the worst. */
  readonly exitCode?: ExitCode;
}
