import { createHash } from 'node:crypto';
import { blobRefSchema, type BlobRef } from '@connecta/contracts';
import { z } from 'zod';
import type { Size } from './pyramid.ts';
import type { TilesPlan } from './settings.ts';

const checkpointSchema = z.strictObject({
  function: z.literal('image.tiles'),
  format: z.literal(1),
  work: z.string(),
  width: z.number().int().positive(),
  height: z.number().int().positive(),
  levels: z.array(z.strictObject({ level: z.number().int().nonnegative(), tiles: z.number(), pack: blobRefSchema })),
});

/** A level whose tiles are all made: how many, and the blob that holds them. */
export interface FinishedLevel {
  level: number;
  tiles: number;
  pack: BlobRef;
}

/** The context of `image.tiles`: small JSON that names the finished levels and the blobs with their tiles. */
export interface Checkpoint extends Size {
  readonly function: 'image.tiles';
  readonly format: 1;
  /** What the tiles were made of and how ({@link workFingerprint}): tiles of other work are never reused. */
  readonly work: string;
  readonly levels: readonly FinishedLevel[];
}

/** Names input bytes and settings: two equal ones give equal tiles. `encoder` is the version of what encodes them. */
export function workFingerprint(input: BlobRef, plan: TilesPlan, encoder: string): string {
  const { tileSize, overlap, format, quality } = plan;
  return createHash('sha256')
    .update(JSON.stringify([input.sha256, input.size, tileSize, overlap, format, quality, encoder]))
    .digest('hex');
}

export function writeCheckpoint(work: string, image: Size, levels: readonly FinishedLevel[]): Buffer {
  const checkpoint: Checkpoint = {
    function: 'image.tiles',
    format: 1,
    work,
    width: image.width,
    height: image.height,
    levels,
  };
  return Buffer.from(JSON.stringify(checkpoint));
}

/** Reads a checkpoint; undefined when it is of other work or not a checkpoint at all: then the work begins anew. */
export function readCheckpoint(bytes: Buffer, work: string): Checkpoint | undefined {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
  const read = checkpointSchema.safeParse(json);
  return read.success && read.data.work === work ? read.data : undefined;
}
