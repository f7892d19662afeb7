import type { WorkerFunction } from '@connecta/worker-kit';
import { imageAdjust } from './image/adjust.ts';
import type { ImageTools } from './image/map-images.ts';
import { imageResize } from './image/resize.ts';
import { imageWatermark } from './image/watermark.ts';
import { jsonTransform } from './json/transform.ts';
import { mathAdd } from './math/add.ts';
import { mathMultiply } from './math/multiply.ts';

/** Every function of the worker type `generic`. */
export function genericFunctions(tools: ImageTools): WorkerFunction[] {
  return [mathAdd, mathMultiply, imageAdjust(tools), imageResize(tools), imageWatermark(tools), jsonTransform];
}
