import { defineFunction, type WorkerFunction } from '@connecta/worker-kit';
import sharp from 'sharp';
import { IMAGE_SETTINGS_PROPERTIES, type ImageSettings } from './image-format.ts';
import { IMAGES_SCHEMA } from './image-value.ts';
import { mapImages, type ImageTools } from './map-images.ts';
import { drawMark, type Mark, type MarkSettings } from './mark.ts';
import { GRAVITIES, placeMark, type Gravity } from './placement.ts';

interface WatermarkSettings extends ImageSettings, MarkSettings {
  gravity: Gravity;
  opacity: number;
  margin: number;
  size: number;
}

/** 256 KiB in base64. The mark is part of the profile: so a revision pins it, and no job needs rights to read it. */
const MAX_IMAGE_CHARS = 349_528;

/** `image.watermark`: a text or an image over an image. */
export function imageWatermark(tools: ImageTools): WorkerFunction {
  // Drawn once per profile revision: settings are the same object for all jobs of one.
  const marks = new WeakMap<WatermarkSettings, Promise<Mark>>();
  const markOf = (settings: WatermarkSettings): Promise<Mark> => {
    const mark = marks.get(settings) ?? drawMark(settings);
    marks.set(settings, mark);
    return mark;
  };
  return defineFunction<WatermarkSettings>({
    name: 'image.watermark',
    version: '1.0.0',
    description: 'Puts a text or an image over an image or each of a list.',
    settingsSchema: SETTINGS_SCHEMA,
    inputSchema: IMAGES_SCHEMA,
    outputSchema: IMAGES_SCHEMA,
    cacheable: true,
    run: async (context) => {
      const { settings } = context;
      const mark = await markOf(settings);
      return mapImages(tools, context, async (source) => {
        const place = placeMark({ ...settings, image: source, mark });
        const overlay = await fade(mark, place, settings.opacity);
        const marked = source.open().composite([{ input: overlay, left: place.left, top: place.top }]);
        // Laying one image over another adds transparency; where there was none, none is wanted.
        return source.hasAlpha ? marked : marked.removeAlpha();
      });
    },
  });
}

/** Something to see, and no control character but line breaks. */
const PRINTABLE = '^[^\\x00-\\x09\\x0b-\\x1f\\x7f]*[^\\s\\x00-\\x1f\\x7f][^\\x00-\\x09\\x0b-\\x1f\\x7f]*$';

const SETTINGS_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  oneOf: [{ required: ['text'] }, { required: ['image'] }],
  properties: {
    text: { type: 'string', minLength: 1, maxLength: 200, pattern: PRINTABLE, title: 'Text' },
    color: { type: 'string', pattern: '^#[0-9a-fA-F]{6}$', default: '#ffffff', title: 'Colour of the text' },
    image: {
      type: 'string',
      contentEncoding: 'base64',
      pattern: '^[A-Za-z0-9+/]+={0,2}$',
      maxLength: MAX_IMAGE_CHARS,
      title: 'Image',
      description: 'Its bytes in base64, at most 256 KiB',
    },
    gravity: { enum: [...GRAVITIES], default: 'southeast', title: 'Where' },
    opacity: { type: 'number', minimum: 0, maximum: 1, default: 0.5, title: 'Opacity' },
    margin: { type: 'number', minimum: 0, maximum: 0.45, default: 0.02, title: 'Margin, as a share of the width' },
    size: { type: 'number', minimum: 0.01, maximum: 1, default: 0.3, title: 'Size, as a share of the width' },
    ...IMAGE_SETTINGS_PROPERTIES,
  },
} as const;

/** The mark at its size and opacity. */
function fade(mark: Mark, size: { width: number; height: number }, opacity: number): Promise<Buffer> {
  return sharp(mark.png)
    .resize(size.width, size.height, { fit: 'fill' })
    .linear([1, 1, 1, opacity], [0, 0, 0, 0])
    .png()
    .toBuffer();
}
