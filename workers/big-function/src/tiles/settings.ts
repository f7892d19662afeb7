import type { JsonSchema } from '@connecta/worker-kit';

export const TILE_FORMATS = ['jpeg', 'png', 'webp'] as const;
export type TileFormat = (typeof TILE_FORMATS)[number];

/** Settings of `image.tiles`; every one has a default. */
export interface TilesSettings {
  /** Side of a tile without its overlap, in pixels. */
  tileSize?: number;
  /** Pixels by which a tile reaches into each neighbour. */
  overlap?: number;
  format?: TileFormat;
  /** Of jpeg and webp tiles. */
  quality?: number;
  /** The largest image that is taken, in pixels (width times height). */
  maxPixels?: number;
  /** Base name of the descriptor and the tile folder in the archive. */
  name?: string;
}

/** How tiles are to be made, every choice settled. */
export type TilesPlan = Readonly<Required<TilesSettings>>;

export const tilesSettingsSchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    tileSize: { type: 'integer', minimum: 128, maximum: 4096, default: 256, description: 'Side of a tile in pixels' },
    overlap: {
      type: 'integer',
      minimum: 0,
      maximum: 32,
      default: 1,
      description: 'Pixels by which a tile reaches into its neighbours',
    },
    format: { enum: [...TILE_FORMATS], default: 'jpeg' },
    quality: { type: 'integer', minimum: 1, maximum: 100, default: 85, description: 'Of jpeg and webp tiles' },
    maxPixels: {
      type: 'integer',
      minimum: 1,
      maximum: 2_000_000_000,
      default: 500_000_000,
      description: 'The largest image that is taken: width times height',
    },
    name: {
      type: 'string',
      pattern: '^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$',
      default: 'image',
      description: 'Base name of the descriptor and the tile folder in the archive',
    },
  },
};

/** Settles what the settings leave open. */
export function planTiles(settings: TilesSettings): TilesPlan {
  return { tileSize: 256, overlap: 1, format: 'jpeg', quality: 85, maxPixels: 500_000_000, name: 'image', ...settings };
}
