import { open, stat, unlink, type FileHandle } from 'node:fs/promises';
import { halfSize, type Rectangle, type Size } from './pyramid.ts';

/** Bytes read at once while shrinking: small enough that the event loop turns every few milliseconds. */
const STRIP_BYTES = 2 * 1024 * 1024;

/**
 * The pixels of one level as plain bytes in a file, 8 bits a channel, row by row. Keeping levels on disk bounds the
 * memory by a few tiles whatever the image's size; a compressed file would be decoded once more for every tile.
 */
export class LevelPixels implements Size {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #start: number;

  private constructor(options: { path: string; file: FileHandle; start: number; size: Size; channels: number }) {
    this.width = options.size.width;
    this.height = options.size.height;
    this.channels = options.channels;
    this.#path = options.path;
    this.#file = options.file;
    this.#start = options.start;
  }

  /**
   * Opens pixels in a file, behind `start` bytes of header.
   *
   * @throws RangeError when the file is too short to hold them.
   */
  static async open(path: string, options: { start: number; size: Size; channels: number }): Promise<LevelPixels> {
    const bytes = options.start + options.size.width * options.size.height * options.channels;
    if ((await stat(path)).size < bytes) throw new RangeError('the file of pixels is shorter than its size says');
    return new LevelPixels({ ...options, path, file: await open(path, 'r') });
  }

  get #rowBytes(): number {
    return this.width * this.channels;
  }

  /** The bytes of a rectangle, row by row. */
  async read({ left, top, width, height }: Rectangle): Promise<Buffer> {
    const rowBytes = width * this.channels;
    const bytes = Buffer.allocUnsafe(rowBytes * height);
    if (width === this.width) {
      await this.#fill(bytes, this.#start + top * rowBytes);
      return bytes;
    }
    for (let row = 0; row < height; row++) {
      const at = this.#start + (top + row) * this.#rowBytes + left * this.channels;
      await this.#fill(bytes.subarray(row * rowBytes, (row + 1) * rowBytes), at);
    }
    return bytes;
  }

  async #fill(bytes: Buffer, at: number): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const { bytesRead } = await this.#file.read(bytes, done, bytes.length - done, at + done);
      if (bytesRead === 0) throw new RangeError('the file of pixels was cut');
      done += bytesRead;
    }
  }

  /** Writes the next smaller level into a new file: each pixel the mean of the four it covers. */
  async shrink(path: string, signal: AbortSignal): Promise<LevelPixels> {
    const size = halfSize(this);
    const target = await open(path, 'wx', 0o600);
    try {
      const stripRows = Math.max(2, Math.floor(STRIP_BYTES / this.#rowBytes / 2) * 2);
      for (let top = 0; top < this.height; top += stripRows) {
        signal.throwIfAborted();
        const height = Math.min(stripRows, this.height - top);
        const strip = await this.read({ left: 0, top, width: this.width, height });
        await target.writeFile(halveStrip(strip, { width: this.width, height, channels: this.channels }));
      }
    } finally {
      await target.close();
    }
    return LevelPixels.open(path, { start: 0, size, channels: this.channels });
  }

  /** Closes and removes the file. */
  async discard(): Promise<void> {
    await this.#file.close();
    await unlink(this.#path).catch(() => undefined);
  }
}

/**
 * Halves a strip of rows. The last column or row of an odd size stands for itself. With an alpha channel (2 or 4
 * channels) colours are weighed by it: the colour of a transparent pixel is nobody's.
 */
export function halveStrip(strip: Buffer, size: Size & { channels: number }): Buffer {
  const { width, height, channels } = size;
  const half = halfSize(size);
  const out = Buffer.allocUnsafe(half.width * half.height * channels);
  const hasAlpha = channels % 2 === 0;
  let at = 0;
  for (let y = 0; y < half.height; y++) {
    const upper = 2 * y * width * channels;
    const lower = Math.min(2 * y + 1, height - 1) * width * channels;
    for (let x = 0; x < half.width; x++) {
      const left = 2 * x * channels;
      const right = Math.min(2 * x + 1, width - 1) * channels;
      const corners = [upper + left, upper + right, lower + left, lower + right] as const;
      if (hasAlpha) weighByAlpha(strip, corners, { out, at, channels });
      else for (let c = 0; c < channels; c++) out[at + c] = mean(strip, corners, c);
      at += channels;
    }
  }
  return out;
}

type Corners = readonly [number, number, number, number];

function mean(strip: Buffer, [a, b, c, d]: Corners, channel: number): number {
  const sum = byte(strip, a + channel) + byte(strip, b + channel) + byte(strip, c + channel) + byte(strip, d + channel);
  return (sum + 2) >> 2;
}

function weighByAlpha(strip: Buffer, corners: Corners, to: { out: Buffer; at: number; channels: number }): void {
  const alpha = to.channels - 1;
  const total = corners.reduce((sum, corner) => sum + byte(strip, corner + alpha), 0);
  for (let c = 0; c < alpha; c++) {
    const weighed = corners.reduce((sum, corner) => sum + byte(strip, corner + c) * byte(strip, corner + alpha), 0);
    to.out[to.at + c] = total === 0 ? mean(strip, corners, c) : Math.round(weighed / total);
  }
  to.out[to.at + alpha] = (total + 2) >> 2;
}

function byte(bytes: Buffer, at: number): number {
  return bytes[at] ?? 0;
}
