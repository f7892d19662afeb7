import type { z } from 'zod';

/** One variable that is missing or wrong. */
export interface ConfigFault {
  variable: string;
  expected: string;
}

/** Thrown by {@link readConfig}; a process that meets it ends with `exitCode` (78, EX_CONFIG of sysexits.h). */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly exitCode = 78;
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    super(`The configuration is not valid:\n${faults.map((f) => `  ${f.variable}: ${f.expected}`).join('\n')}`);
    this.faults = faults;
  }
}

/**
 * Reads a process's configuration from its environment. A variable set to the empty string counts as not set, as
 * compose files and shells produce it. Values never appear in the error: they may be secrets. `rules` see the set
 * variables beside the schema (whose own refinements wait until every variable is right) and add faults of theirs.
 *
 * @throws ConfigError naming every fault at once.
 */
export function readConfig<Schema extends z.ZodType>(
  schema: Schema,
  env: Readonly<Record<string, string | undefined>>,
  rules: (env: Readonly<Record<string, string | undefined>>) => ConfigFault[] = () => [],
): z.output<Schema> {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const read = schema.safeParse(set);
  const broken = rules(set);
  if (read.success && broken.length === 0) return read.data;
  const faults = (read.error?.issues ?? []).map((issue) => {
    const variable = issue.path.map(String).join('.') || '(all)';
    const missing = issue.path.length === 1 && !(variable in set);
    return { variable, expected: missing ? `is not set; ${expectation(issue)}` : expectation(issue) };
  });
  throw new ConfigError([...faults, ...broken]);
}

function expectation(issue: z.core.$ZodIssue): string {
  return issue.message.replace(/^Invalid input: /, '').replace(/, received undefined$/, '');
}
