import type { ProblemDocument } from './api/shapes.ts';

/** Why the process ends: documented in docs/cli.md, so scripts build on these numbers. */
export const EXIT = {
  ok: 0,
  /** The command did its work, and what it was about failed: an order, a test case, a compatibility check. */
  failed: 1,
  usage: 2,
  unreachable: 3,
  notAllowed: 4,
  notFound: 5,
  conflict: 6,
  invalid: 7,
  /** The system is there and cannot do it now. */
  unavailable: 8,
  interrupted: 130,
} as const;

/** One of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What a person has to know, in one sentence, and what may be done about it. Never shown with a stack. */
export class CliError extends Error {
  readonly exitCode: ExitCode;
  readonly hints: readonly string[];

  constructor(exitCode: ExitCode, message: string, hints: readonly string[] = [], options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
    this.hints = hints;
  }
}

/** The command line asks for something that makes no sense. */
export class UsageError extends CliError {
  constructor(message: string, hints: readonly string[] = []) {
    super(EXIT.usage, message, hints);
  }
}

/** Nobody answers at the address. */
export class UnreachableError extends CliError {
  constructor(url: string, cause: unknown) {
    super(EXIT.unreachable, `${url} cannot be reached: ${reasonOf(cause)}`, ["'connecta doctor' looks closer."], {
      cause,
    });
  }
}

/** The text that a problem's faults point into, so that each can be shown with its line. */
export interface FaultSource {
  readonly fileName: string;
  readonly text: string;
}

/** fe-api refused a call. */
export class ProblemError extends CliError {
  readonly problem: ProblemDocument;
  readonly source: FaultSource | undefined;

  constructor(problem: ProblemDocument, source?: FaultSource) {
    super(exitCodeOf(problem.status), problem.detail ?? problem.title, hintsFor(problem));
    this.problem = problem;
    this.source = source;
  }

  /** The same problem, with the text that was sent. */
  in(source: FaultSource): ProblemError {
    return new ProblemError(this.problem, source);
  }
}

/** The exit code that stands for an HTTP status. */
export function exitCodeOf(status: number): ExitCode {
  if (status === 401 || status === 403) return EXIT.notAllowed;
  if (status === 404 || status === 410) return EXIT.notFound;
  if (status === 409 || status === 412 || status === 428) return EXIT.conflict;
  if (status === 429 || status >= 500) return EXIT.unavailable;
  return EXIT.invalid;
}

function hintsFor({ code, status }: ProblemDocument): readonly string[] {
  if (code === 'unauthenticated')
    return ["Give a key with --key or CONNECTA_KEY; 'connecta doctor' tells which is used."];
  if (code === 'precondition_failed') return ['Somebody changed it meanwhile: read it again and repeat the change.'];
  if (status >= 500) return ["'connecta doctor' looks closer."];
  return [];
}

/** What a failed request says of its cause, in a few words. */
export function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (cause instanceof AggregateError && cause.errors.length > 0) return reasonOf(cause.errors[0]);
  if (typeof cause !== 'object' || cause === null) return String(cause);
  const { code, name, message } = cause as Partial<NodeJS.ErrnoException>;
  if (code !== undefined && code in REASONS) return REASONS[code] ?? code;
  return name === 'TimeoutError' ? 'it did not answer in time' : (message ?? name ?? 'for no reason that was told');
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name could not be looked up',
  ECONNRESET: 'the connection broke',
  ETIMEDOUT: 'it did not answer in time',
  EHOSTUNREACH: 'there is no way to that host',
  UND_ERR_SOCKET: 'the connection broke',
  UND_ERR_CONNECT_TIMEOUT: 'it did not answer in time',
  UND_ERR_HEADERS_TIMEOUT: 'it did not answer in time',
};
