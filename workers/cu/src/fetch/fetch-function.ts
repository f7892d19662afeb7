import { basename } from 'node:path';
import { isBlobRef, isFileValue } from '@connecta/contracts';
import { BLOB_REF_SCHEMA, FILE_VALUE_SCHEMA, FunctionError, defineFunction } from '@connecta/worker-kit';
import type { WorkerFunction } from '@connecta/worker-kit';
import type { Shares } from '../shares/shares.ts';
import { mediaTypeOf } from './media-types.ts';

interface FetchSettings {
  maxBytes: number;
}

const GIB = 1024 ** 3;

/**
 * `cu.fetch`: a file of a share becomes a blob. Workers that have no shares run it as a child order when a `{file}`
 * comes to a function of theirs that takes none; a workflow may also name it as a step. A blob stays what it is.
 */
export function fetchFunction(shares: Shares): WorkerFunction {
  return defineFunction<FetchSettings>({
    name: 'cu.fetch',
    version: '1.0.0',
    description: 'Copies a file of a share into a blob',
    settingsSchema: {
      type: 'object',
      additionalProperties: false,
      properties: { maxBytes: { type: 'integer', minimum: 1, maximum: 1024 * GIB, default: 4 * GIB } },
    },
    inputSchema: { anyOf: [FILE_VALUE_SCHEMA, BLOB_REF_SCHEMA] },
    outputSchema: BLOB_REF_SCHEMA,
    jsonBlobInput: 'blob',
    fileInput: 'file',
    async run({ input, settings, blobs }) {
      if (isBlobRef(input)) return { value: input };
      if (!isFileValue(input)) throw new FunctionError('permanent', 'invalid_input', 'The input must be {file}');
      const { handle, sizeBytes } = await shares.open(input.file);
      try {
        if (sizeBytes > settings.maxBytes) {
          const text = `The file has ${sizeBytes} bytes; at most ${settings.maxBytes} are taken`;
          throw new FunctionError('permanent', 'input_too_large', text);
        }
        const fileName = basename(input.file.path);
        const bytes = handle.createReadStream({ autoClose: false });
        return { value: await blobs.create({ mediaType: mediaTypeOf(fileName), fileName }, bytes) };
      } finally {
        await handle.close();
      }
    },
  });
}
