import type { JsonSchema } from './function.ts';

/** The JSON Schema of a blob reference, for functions' input and output schemas. */
export const BLOB_REF_SCHEMA: JsonSchema = {
  type: 'object',
  required: ['blobId', 'mediaType', 'size', 'sha256'],
  additionalProperties: false,
  properties: {
    blobId: { type: 'string', pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' },
    mediaType: { type: 'string', maxLength: 255 },
    size: { type: 'integer', minimum: 0 },
    sha256: { type: 'string', pattern: '^[0-9a-f]{64}$' },
  },
};

/** The JSON Schema of a legacy file: `{file: {share, path}}`. */
export const FILE_VALUE_SCHEMA: JsonSchema = {
  type: 'object',
  required: ['file'],
  additionalProperties: false,
  properties: {
    file: {
      type: 'object',
      required: ['share', 'path'],
      additionalProperties: false,
      properties: {
        share: { type: 'string', minLength: 1, maxLength: 100 },
        path: { type: 'string', minLength: 1, maxLength: 1024 },
      },
    },
  },
};
