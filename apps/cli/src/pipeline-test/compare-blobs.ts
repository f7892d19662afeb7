import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { problemOf, type Api } from '../api/api.ts';
import { bytesText } from '../output/value-text.ts';
import { compareValues, type BlobPair, type Difference } from './compare-outcomes.ts';
import type { Tolerance } from './test-case.ts';

/** What differs between a recorded blob and one that came out now, when its bytes are not the same. */
export async function compareBlobs(
  pair: BlobPair,
  options: { api: Api; blobId: string; folder: string; tolerance: Tolerance },
): Promise<Difference[]> {
  const { expected, actual, path } = pair;
  const otherBytes: Difference = {
    path,
    message:
      `has other bytes: ${actual.sha256.slice(0, 12)}… (${bytesText(actual.size)}, ${actual.mediaType}), ` +
      `expected ${expected.sha256.slice(0, 12)}… (${bytesText(expected.size)}, ${expected.mediaType})`,
  };
  const isImage = expected.mediaType.startsWith('image/') && actual.mediaType.startsWith('image/');
  const isJson = /json/.test(expected.mediaType) && /json/.test(actual.mediaType);
  if (expected.file === undefined || (!isJson && !(isImage && options.tolerance.images > 0))) return [otherBytes];
  const [before, after] = await Promise.all([
    readFile(join(options.folder, expected.file)),
    readBlob(options.api, options.blobId),
  ]);
  if (isImage) return compareImages(before, after, { path, most: options.tolerance.images });
  return compareJson(before, after, { path, tolerance: options.tolerance }) ?? [otherBytes];
}

function compareJson(
  before: Uint8Array,
  after: Uint8Array,
  { path, tolerance }: { path: string; tolerance: Tolerance },
): Difference[] | undefined {
  try {
    const [one, other] = [before, after].map((bytes) => JSON.parse(Buffer.from(bytes).toString('utf8')) as unknown);
    // What is ignored is named from the outcome on; inside of the blob it begins anew.
    const ignore = tolerance.ignore.flatMap((place) =>
      place.startsWith(`${path}/`) ? [place.slice(path.length)] : [],
    );
    const { differences } = compareValues(one, other, { ...tolerance, ignore });
    return differences.map((difference) => ({ ...difference, path: path + difference.path }));
  } catch {
    return undefined;
  }
}

/** The mean difference of all samples, both pictures decoded to eight bits of red, green, blue and alpha. */
async function compareImages(
  before: Uint8Array,
  after: Uint8Array,
  { path, most }: { path: string; most: number },
): Promise<Difference[]> {
  const { default: sharp } = await import('sharp');
  const decode = (bytes: Uint8Array) =>
    sharp(bytes).ensureAlpha().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  const [one, other] = await Promise.all([decode(before), decode(after)]);
  if (one.info.width !== other.info.width || one.info.height !== other.info.height) {
    const size = ({ info }: typeof one): string => `${info.width}×${info.height}`;
    return [{ path, message: `is ${size(other)} pixels, expected ${size(one)}` }];
  }
  let sum = 0;
  for (let at = 0; at < one.data.length; at += 1) sum += Math.abs((one.data[at] ?? 0) - (other.data[at] ?? 0));
  const mean = sum / Math.max(1, one.data.length) / 255;
  if (mean <= most) return [];
  return [{ path, message: `differs by ${mean.toPrecision(3)} in the mean of its samples; ${most} is allowed` }];
}

/** A blob's bytes. @throws ProblemError */
export async function readBlob(api: Api, blobId: string): Promise<Uint8Array> {
  const response = await api.raw(`/v1/blobs/${blobId}`);
  if (!response.ok) throw problemOf(response, await response.json().catch(() => undefined));
  return new Uint8Array(await response.arrayBuffer());
}
