import type { BlobRef, JsonValue } from '@connecta/contracts';
import type { FunctionContext, FunctionResult, JobFolders } from '@connecta/worker-kit';
import type { Sharp } from 'sharp';
import { imageError } from './image-error.ts';
import { writeAs, type ImageFormat, type ImageSettings } from './image-format.ts';
import { openImage, type ImageSource } from './image-source.ts';
import { readImages, toValue, type ImageItem } from './image-value.ts';

/** What image functions need of their process. */
export interface ImageTools {
  /** For images that are too large for memory. */
  readonly folders: Pick<JobFolders, 'use'>;
}

/** An image that was written. */
export interface WrittenImage {
  image: BlobRef;
  width: number;
  height: number;
}

/** Runs `change` over one image or a list of them, one after another, and returns the same form. */
export async function mapImages<Settings extends ImageSettings>(
  tools: ImageTools,
  context: FunctionContext<Settings>,
  change: (source: ImageSource) => Promise<Sharp>,
): Promise<FunctionResult> {
  const { items, isList } = readImages(context.input);
  const values: JsonValue[] = [];
  for (const item of items) {
    const made = await withImage(tools, context, item, async (source) =>
      writeImage(context, { item, image: await change(source), format: context.settings.format ?? source.format }),
    );
    values.push(toValue(item, made));
    if (items.length > 1) await context.progress(values.length / items.length);
  }
  return { value: isList ? values : (values[0] ?? null) };
}

/** Opens an image of the input for a while. @throws FunctionError invalid_image, image_too_large. */
export function withImage<T>(
  tools: ImageTools,
  context: FunctionContext<ImageSettings>,
  item: ImageItem,
  work: (source: ImageSource) => Promise<T>,
): Promise<T> {
  return tools.folders.use(async (folder) => {
    context.signal.throwIfAborted();
    const { maxPixels } = context.settings;
    try {
      return await work(await openImage({ context, blob: item.blob, maxPixels, folder }));
    } catch (error) {
      throw imageError(error, item.blob);
    }
  });
}

/** Encodes a pipeline into a new blob, as it comes out of the encoder. */
export async function writeImage(
  context: FunctionContext<ImageSettings>,
  written: { item: ImageItem; image: Sharp; format: ImageFormat; fileName?: string },
): Promise<WrittenImage> {
  const { format } = written;
  const output = writeAs(written.image, format, context.settings.quality);
  const size = { width: 0, height: 0 };
  output.on('info', (info: { width: number; height: number }) => Object.assign(size, info));
  const name = written.fileName ?? written.item.name;
  const fileName = name === undefined ? {} : { fileName: `${name}.${format === 'jpeg' ? 'jpg' : format}` };
  const image = await context.blobs.create({ mediaType: `image/${format}`, ...fileName }, output);
  return { image, width: size.width, height: size.height };
}
