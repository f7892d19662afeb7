import { defineFunction, type JsonSchema, type WorkerFunction } from '@connecta/worker-kit';
import { FILE_NAME_PATTERN, legacySettingsProperties, oneOf } from '../programs/legacy-settings.ts';
import { runLegacy, type LegacyEnvironment } from '../programs/run-legacy.ts';
import { ARGUMENT_PATTERN } from './arguments.ts';
import { ExecProgram, type ExecSettings } from './exec-program.ts';

/** What the operator lets profiles of `cu.exec` do. */
export interface ExecRules {
  readonly commands: ReadonlyMap<string, string>;
  /** Names of environment variables that a profile may set. */
  readonly envNames: readonly string[];
  /** The PATH that programs see. */
  readonly path: string;
}

const exitCodes: JsonSchema = { type: 'array', maxItems: 256, items: { type: 'integer', minimum: 0, maximum: 255 } };

/** `cu.exec`: a program that knows only files, started for each job. */
export function execFunction(rules: ExecRules, environment: LegacyEnvironment): WorkerFunction {
  const program = new ExecProgram(rules);
  const settingsSchema: JsonSchema = {
    type: 'object',
    required: ['command'],
    additionalProperties: false,
    properties: {
      command: oneOf([...rules.commands.keys()].sort(), 'A program that the operator allows'),
      args: {
        type: 'array',
        maxItems: 200,
        items: { type: 'string', maxLength: 2000, pattern: ARGUMENT_PATTERN },
        default: ['{input}', '{output}'],
        description: 'Arguments with {input}, {output}, {id} and {params.name}; {{ and }} stand for braces',
      },
      outputName: {
        type: 'string',
        pattern: FILE_NAME_PATTERN,
        default: 'output',
        description: 'The file that the program writes, {output} in the arguments',
      },
      env: {
        type: 'object',
        propertyNames: oneOf(rules.envNames, 'Variables that the operator lets profiles set'),
        additionalProperties: { type: 'string', maxLength: 4000 },
        default: {},
      },
      acceptExitCodes: { ...exitCodes, minItems: 1, default: [0] },
      retryExitCodes: { ...exitCodes, default: [], description: 'Exit codes after which another attempt may help' },
      graceMs: { type: 'integer', minimum: 0, maximum: 60_000, default: 2_000 },
      ...legacySettingsProperties(environment.shares.namesFor('write')),
    },
  };
  return defineFunction<ExecSettings>({
    name: 'cu.exec',
    version: '1.0.0',
    description: 'Runs a legacy program that reads one file and writes another',
    settingsSchema,
    inputSchema: {},
    outputSchema: { type: 'object' },
    jsonBlobInput: 'blob',
    fileInput: 'file',
    run: (context) => runLegacy({ program, context, environment }),
  });
}
