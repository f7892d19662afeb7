import type { WorkerFunction } from '@connecta/worker-kit';
import { execFunction, type ExecRules } from './exec/exec-function.ts';
import { exchangeFunction } from './exchange/exchange-function.ts';
import { fetchFunction } from './fetch/fetch-function.ts';
import type { LegacyEnvironment } from './programs/run-legacy.ts';
import type { Share } from './shares/shares.ts';

/** What the operator of this installation lets profiles do. */
export interface CuRules extends ExecRules {
  readonly shares: Readonly<Record<string, Share>>;
}

/** The functions of the worker type `cu`. */
export function cuFunctions(rules: CuRules, environment: LegacyEnvironment): WorkerFunction[] {
  return [execFunction(rules, environment), exchangeFunction(environment), fetchFunction(environment.shares)];
}
