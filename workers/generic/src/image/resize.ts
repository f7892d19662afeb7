import { defineFunction, FunctionError, type FunctionContext, type WorkerFunction } from '@connecta/worker-kit';
import { IMAGE_SETTINGS_PROPERTIES, type ImageSettings } from './image-format.ts';
import type { ImageSource } from './image-source.ts';
import { IMAGES_SCHEMA, NAMED_IMAGES_SCHEMA, readImages, type ImageItem, type NamedImage } from './image-value.ts';
import { withImage, writeImage, type ImageTools } from './map-images.ts';

interface NamedWidth {
  name: string;
  width: number;
}

interface ResizeSettings extends ImageSettings {
  widths: NamedWidth[];
  enlarge: boolean;
}

/** `image.resize`: one image for each named width, the height in proportion. */
export function imageResize(tools: ImageTools): WorkerFunction {
  return defineFunction<ResizeSettings>({
    name: 'image.resize',
    version: '1.0.0',
    description: 'Makes an image of each named width, from one image or from each of a list.',
    settingsSchema: {
      type: 'object',
      required: ['widths'],
      additionalProperties: false,
      properties: {
        widths: {
          type: 'array',
          title: 'Widths',
          minItems: 1,
          maxItems: 20,
          uniqueItems: true,
          items: {
            type: 'object',
            required: ['name', 'width'],
            additionalProperties: false,
            properties: {
              name: { type: 'string', title: 'Name', pattern: '^[a-z0-9][a-z0-9_-]{0,49}$' },
              width: { type: 'integer', title: 'Width in pixels', minimum: 1, maximum: 20_000 },
            },
          },
        },
        enlarge: {
          type: 'boolean',
          default: true,
          title: 'Enlarge',
          description: 'Without it, an image that is smaller keeps its size',
        },
        ...IMAGE_SETTINGS_PROPERTIES,
      },
    },
    inputSchema: IMAGES_SCHEMA,
    outputSchema: NAMED_IMAGES_SCHEMA,
    cacheable: true,
    run: async (context) => {
      const { items } = readImages(context.input);
      const images: NamedImage[] = [];
      for (const [index, item] of items.entries()) {
        const prefix = item.name ?? (items.length > 1 ? String(index + 1) : undefined);
        const made = await withImage(tools, context, item, (source) => resizeOne(context, { source, item, prefix }));
        images.push(...made);
        await context.progress((index + 1) / items.length);
      }
      return { value: images.map((image) => ({ ...image })) };
    },
  });
}

async function resizeOne(
  context: FunctionContext<ResizeSettings>,
  one: { source: ImageSource; item: ImageItem; prefix: string | undefined },
): Promise<NamedImage[]> {
  const { widths, enlarge, format, maxPixels } = context.settings;
  const { source, item, prefix } = one;
  const images: NamedImage[] = [];
  for (const { name: widthName, width } of widths) {
    const pixels = width * Math.ceil((source.height * width) / source.width);
    if (enlarge && pixels > maxPixels)
      throw new FunctionError('permanent', 'image_too_large', `at width ${width} the image has ${pixels} pixels`);
    const name = prefix === undefined ? widthName : `${prefix}-${widthName}`;
    const image = source.open().resize({ width, withoutEnlargement: !enlarge });
    images.push({
      name,
      ...(await writeImage(context, { item, image, format: format ?? source.format, fileName: name })),
    });
  }
  return images;
}
