import type { Session } from '../session.ts';

/** What each command is built with. */
export interface CommandTools {
  readonly session: Session;
  /** The exit code of a command that did its work; 0 unless it says otherwise. */
  readonly ended: (code: number) => void;
}
