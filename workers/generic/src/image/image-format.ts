import type { BlobRef } from '@connecta/contracts';
import { FunctionError, type JsonSchema } from '@connecta/worker-kit';
import type { Metadata, Sharp } from 'sharp';

export const IMAGE_FORMATS = ['jpeg', 'png', 'webp', 'avif', 'tiff'] as const;
/** The formats that are read and written. Not SVG: it can refer to other resources. */
export type ImageFormat = (typeof IMAGE_FORMATS)[number];

/** Settings that every image function has. */
export interface ImageSettings {
  /** Written as; by default as it came. */
  format?: ImageFormat;
  quality?: number;
  maxPixels: number;
}

/** Their JSON Schema, to be spread into `properties`. */
export const IMAGE_SETTINGS_PROPERTIES: JsonSchema = {
  format: { enum: [...IMAGE_FORMATS], title: 'Format', description: 'Without it, the format of the input' },
  quality: { type: 'integer', minimum: 1, maximum: 100, title: 'Quality', description: 'For jpeg, webp, avif, tiff' },
  maxPixels: {
    type: 'integer',
    minimum: 1,
    maximum: 500_000_000,
    default: 100_000_000,
    title: 'Largest image, in pixels',
  },
};

/** What an image is. @throws FunctionError invalid_image for a format that is not taken. */
export function formatOf(metadata: Metadata, blob: BlobRef): ImageFormat {
  const { format, compression } = metadata;
  if (format === 'heif' && compression === 'av1') return 'avif';
  const known = IMAGE_FORMATS.find((name) => name === (format as string));
  if (known) return known;
  const told = `blob ${blob.blobId} is ${format}; image functions take ${IMAGE_FORMATS.join(', ')}`;
  throw new FunctionError('permanent', 'invalid_image', told);
}

/** Makes a pipeline write a format. JPEG knows no transparency: it gets white below. */
export function writeAs(image: Sharp, format: ImageFormat, quality: number | undefined): Sharp {
  const given = quality === undefined ? {} : { quality };
  switch (format) {
    case 'jpeg':
      return image.flatten({ background: '#ffffff' }).jpeg({ ...given, mozjpeg: false });
    case 'png':
      return image.png();
    case 'webp':
      return image.webp(given);
    case 'avif':
      return image.avif(given);
    case 'tiff':
      return image.tiff({ compression: 'lzw', ...given });
  }
}
