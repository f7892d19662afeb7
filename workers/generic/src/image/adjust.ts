import { defineFunction, type WorkerFunction } from '@connecta/worker-kit';
import { IMAGE_SETTINGS_PROPERTIES, type ImageSettings } from './image-format.ts';
import { IMAGES_SCHEMA } from './image-value.ts';
import { mapImages, type ImageTools } from './map-images.ts';

interface AdjustSettings extends ImageSettings {
  brightness: number;
  saturation: number;
  contrast: number;
}

/** The middle of 8 bits: what contrast stretches around. */
const MIDDLE = 128;
const factor = (title: string): object => ({ type: 'number', minimum: 0, maximum: 10, default: 1, title });

/** `image.adjust`: brightness, saturation and contrast as factors, 1 being "as it is". */
export function imageAdjust(tools: ImageTools): WorkerFunction {
  return defineFunction<AdjustSettings>({
    name: 'image.adjust',
    version: '1.0.0',
    description: 'Changes brightness, saturation and contrast of an image or a list of images.',
    settingsSchema: {
      type: 'object',
      additionalProperties: false,
      properties: {
        brightness: factor('Brightness'),
        saturation: factor('Saturation'),
        contrast: factor('Contrast'),
        ...IMAGE_SETTINGS_PROPERTIES,
      },
    },
    inputSchema: IMAGES_SCHEMA,
    outputSchema: IMAGES_SCHEMA,
    cacheable: true,
    run: (context) => {
      const { brightness, saturation, contrast } = context.settings;
      return mapImages(tools, context, async (source) => {
        const image = source.open().modulate({ brightness, saturation });
        return contrast === 1 ? image : image.linear(contrast, MIDDLE * (1 - contrast));
      });
    },
  });
}
