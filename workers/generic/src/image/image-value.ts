import { BLOB_REF_SCHEMA, type JsonSchema } from '@connecta/worker-kit';
import type { BlobRef, JsonValue } from '@connecta/contracts';

/** An image with a name, as image functions pass it on: `{name, image, width, height}`. */
export interface NamedImage {
  name: string;
  image: BlobRef;
  width: number;
  height: number;
}

/** One image of an input, whatever form it came in. */
export interface ImageItem {
  readonly blob: BlobRef;
  readonly name: string | undefined;
}

/** An image function's input: one image or a list, each a blob reference or a named image. */
export interface ImageInput {
  readonly items: readonly ImageItem[];
  readonly isList: boolean;
}

const NAMED_IMAGE_SCHEMA: JsonSchema = {
  type: 'object',
  required: ['name', 'image', 'width', 'height'],
  additionalProperties: false,
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 200 },
    image: BLOB_REF_SCHEMA,
    width: { type: 'integer', minimum: 1 },
    height: { type: 'integer', minimum: 1 },
  },
};
const ONE_IMAGE_SCHEMA: JsonSchema = {
  type: 'object',
  if: { required: ['image'] },
  then: NAMED_IMAGE_SCHEMA,
  else: BLOB_REF_SCHEMA,
};

/** One image, or a list of them: what every image function takes, and what it returns. */
export const IMAGES_SCHEMA: JsonSchema = {
  type: ['object', 'array'],
  if: { type: 'array' },
  then: { type: 'array', minItems: 1, maxItems: 200, items: ONE_IMAGE_SCHEMA },
  else: ONE_IMAGE_SCHEMA,
};

/** A list of named images. */
export const NAMED_IMAGES_SCHEMA: JsonSchema = { type: 'array', minItems: 1, items: NAMED_IMAGE_SCHEMA };

/** Reads what {@link IMAGES_SCHEMA} let through. */
export function readImages(input: JsonValue): ImageInput {
  const list = (Array.isArray(input) ? input : [input]) as unknown as (BlobRef | NamedImage)[];
  const items = list.map((one) =>
    'image' in one ? { blob: one.image, name: one.name } : { blob: one, name: undefined },
  );
  return { items, isList: Array.isArray(input) };
}

/** An image as a value: named ones stay named, others are blob references. */
export function toValue(item: ImageItem, made: { image: BlobRef; width: number; height: number }): JsonValue {
  return item.name === undefined ? made.image : { name: item.name, ...made };
}
