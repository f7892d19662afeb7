import { boundedLine, type LogLevel } from '@connecta/contracts';
import type { FunctionLog } from '../function/function.ts';
import type { AttemptIdentity, LogKeeper } from '../runner/ports.ts';
import { clean, tellFields, type Redact } from './redact.ts';

/** The log that a function sees: each line goes to the process's own log and is kept with the attempt, without secrets. */
export function attemptLog(options: {
  attempt: AttemptIdentity;
  own: FunctionLog;
  keeper: LogKeeper | undefined;
  redact: () => Redact;
}): FunctionLog {
  const { attempt, own, keeper, redact } = options;
  const write =
    (level: LogLevel) =>
    (given: object, text: unknown): void => {
      const fields = tellFields(given, redact());
      const message = clean(redact()(String(text)));
      own[level](fields, message);
      const told = Object.keys(fields).length === 0 ? {} : { fields };
      keeper?.keep(attempt, boundedLine({ at: new Date().toISOString(), level, message, ...told }));
    };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}
