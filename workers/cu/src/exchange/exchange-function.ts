import { ERROR_KINDS } from '@connecta/contracts';
import { defineFunction, type JsonSchema, type WorkerFunction } from '@connecta/worker-kit';
import { FOLDER_PATTERN, ID_NAME_PATTERN, legacySettingsProperties, oneOf } from '../programs/legacy-settings.ts';
import { runLegacy, type LegacyEnvironment } from '../programs/run-legacy.ts';
import { DEFAULT_ANSWER_NAME, DEFAULT_DROP_NAME } from './exchange-names.ts';
import { ExchangeProgram, type ExchangeSettings } from './exchange-program.ts';

const folder: JsonSchema = { type: 'string', maxLength: 500, pattern: FOLDER_PATTERN, default: '' };
const name: JsonSchema = { type: 'string', pattern: ID_NAME_PATTERN };

/** `cu.exchange`: a program that runs by itself, watches a folder and answers with a file. */
export function exchangeFunction(environment: LegacyEnvironment): WorkerFunction {
  const { shares } = environment;
  const program = new ExchangeProgram(shares);
  const settingsSchema: JsonSchema = {
    type: 'object',
    required: ['share'],
    additionalProperties: false,
    properties: {
      share: oneOf(shares.namesFor('exchange'), 'A share on which files may be exchanged'),
      dropFolder: { ...folder, description: 'The folder that the program watches, below the share' },
      answerFolder: { ...folder, description: 'The folder in which it answers' },
      dropName: { ...name, default: DEFAULT_DROP_NAME },
      answerName: { ...name, default: DEFAULT_ANSWER_NAME },
      doneName: { ...name, description: 'A file that says that the answer is whole; else its size must stand still' },
      errorName: { ...name, description: 'A file whose text says why the program failed' },
      errorKind: { enum: [...ERROR_KINDS], default: 'permanent', description: 'What an error file means for the job' },
      stableMs: { type: 'integer', minimum: 0, maximum: 600_000, default: 1_000 },
      pollMs: { type: 'integer', minimum: 20, maximum: 60_000, default: 250 },
      ...legacySettingsProperties(shares.namesFor('write')),
    },
  };
  return defineFunction<ExchangeSettings>({
    name: 'cu.exchange',
    version: '1.0.0',
    description: 'Hands the input to a legacy program that watches a folder, and takes its answer',
    settingsSchema,
    inputSchema: {},
    outputSchema: { type: 'object' },
    jsonBlobInput: 'blob',
    fileInput: 'file',
    run: (context) => runLegacy({ program, context, environment }),
  });
}
