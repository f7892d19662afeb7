import { isBlobRef } from '@connecta/contracts';
import {
  BLOB_REF_SCHEMA,
  FunctionError,
  defineFunction,
  type JobFolders,
  type WorkerFunction,
} from '@connecta/worker-kit';
import { TilesRun } from './make-tiles.ts';
import { planTiles, tilesSettingsSchema, type TilesSettings } from './settings.ts';

/**
 * `image.tiles`: a Deep Zoom pyramid of a large image as a ZIP archive of a descriptor and tiles. Long, in steps of one
 * level, largest first, with progress after each batch of tiles and a checkpoint after each level.
 *
 * @param folders where a job keeps its pixels and tiles while it runs: about four bytes a pixel.
 */
export function tilesFunction(folders: Pick<JobFolders, 'use'>): WorkerFunction {
  return defineFunction<TilesSettings>({
    name: 'image.tiles',
    version: '1.0.0',
    description: 'Cuts a large image into a Deep Zoom pyramid of tiles, zipped',
    settingsSchema: tilesSettingsSchema,
    inputSchema: { ...BLOB_REF_SCHEMA, description: 'An image: JPEG, PNG, WebP, TIFF, GIF or AVIF' },
    outputSchema: { ...BLOB_REF_SCHEMA, description: 'A ZIP archive: .dzi and tiles' },
    cacheable: true,
    async run(context) {
      const { input } = context;
      if (!isBlobRef(input)) throw new FunctionError('permanent', 'invalid_input', 'The input must be one image');
      const plan = planTiles(context.settings);
      const value = await folders.use((folder) => new TilesRun({ context, input, plan, folder }).run());
      return { value };
    },
  });
}
