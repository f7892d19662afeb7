import type { JsonSchema } from '@connecta/worker-kit';

/** Where a result is left as a file instead of a blob. */
export interface ResultFile {
  share: string;
  /** Below the share's root; the root itself by default. */
  folder?: string;
  /** With `{id}`: no two results share a name. */
  name?: string;
}

/** Settings that every legacy function has. */
export interface LegacySettings {
  /** The name that the program sees its input under. */
  inputName?: string;
  outputMediaType?: string;
  timeLimitMs?: number;
  maxInputBytes?: number;
  maxOutputBytes?: number;
  /** With it the result is `{file}` on this share, without it a blob. */
  resultFile?: ResultFile;
}

/** Legacy settings, every choice settled. */
export type SettledLegacySettings = Required<Omit<LegacySettings, 'resultFile'>> & Pick<LegacySettings, 'resultFile'>;

const GIB = 1024 ** 3;

export function settleLegacySettings(settings: LegacySettings): SettledLegacySettings {
  return {
    inputName: 'input',
    outputMediaType: 'application/octet-stream',
    timeLimitMs: 600_000,
    maxInputBytes: 4 * GIB,
    maxOutputBytes: 4 * GIB,
    ...settings,
  };
}

/** The pattern of a plain file name in settings. */
export const FILE_NAME_PATTERN = '^[A-Za-z0-9_][A-Za-z0-9._ -]{0,99}$';
/** The same with exactly one `{id}` in it. */
export const ID_NAME_PATTERN = '^[A-Za-z0-9._ -]{0,60}\\{id\\}[A-Za-z0-9._ -]{0,60}$';
/** A folder below a share's root; the empty text is the root. */
export const FOLDER_PATTERN = '^(?:[A-Za-z0-9_][A-Za-z0-9._ -]*(?:/[A-Za-z0-9_][A-Za-z0-9._ -]*)*)?$';

/** One of the names that the operator configured; nothing fits when there are none. */
export function oneOf(names: readonly string[], what: string): JsonSchema {
  return names.length > 0
    ? { enum: [...names], description: what }
    : { not: {}, description: `${what} (none is configured)` };
}

/** The JSON Schema of {@link LegacySettings}' properties, to be spread into a function's own. */
export function legacySettingsProperties(writableShares: readonly string[]): Readonly<Record<string, JsonSchema>> {
  return {
    inputName: {
      type: 'string',
      pattern: FILE_NAME_PATTERN,
      default: 'input',
      description: 'The name under which the program sees its input',
    },
    outputMediaType: {
      type: 'string',
      pattern: '^[a-z]+/[A-Za-z0-9.+-]{1,100}$',
      default: 'application/octet-stream',
    },
    timeLimitMs: { type: 'integer', minimum: 100, maximum: 86_400_000, default: 600_000 },
    maxInputBytes: { type: 'integer', minimum: 1, maximum: 1024 * GIB, default: 4 * GIB },
    maxOutputBytes: { type: 'integer', minimum: 1, maximum: 1024 * GIB, default: 4 * GIB },
    resultFile: {
      type: 'object',
      description: 'Leave the result as a file on a share instead of a blob',
      required: ['share'],
      additionalProperties: false,
      properties: {
        share: oneOf(writableShares, 'A share on which results may be left'),
        folder: { type: 'string', maxLength: 500, pattern: FOLDER_PATTERN, default: '' },
        name: { type: 'string', pattern: ID_NAME_PATTERN, default: '{id}' },
      },
    },
  };
}
