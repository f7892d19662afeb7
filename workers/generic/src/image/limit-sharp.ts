import { availableParallelism } from 'node:os';
import sharp from 'sharp';

/**
 * Bounds what libvips takes beside the images of running jobs: no cache of operations (jobs hardly repeat one), and
 * at most two threads per image, since the slots of a runner are its parallelism.
 */
export function limitSharp(): void {
  sharp.cache(false);
  sharp.concurrency(Math.min(2, availableParallelism()));
}
