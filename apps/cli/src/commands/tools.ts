import { InvalidArgumentError } from 'commander';
import type { Session } from '../session.ts';

/** What each command is built with. */
export interface CommandTools {
  readonly session: Session;
  /** The exit code of a command that did its work; 0 unless it says otherwise. */
  readonly ended: (code: number) => void;
}

/** What stands for an order on the command line. */
export const ORDER = 'an id, the beginning of one, or @latest';

/** A revision or version: a whole number from 1 on. */
export function revisionOf(text: string): number {
  const revision = Number(text);
  if (Number.isInteger(revision) && revision > 0) return revision;
  throw new InvalidArgumentError('It is a whole number from 1 on.');
}
