import { createRequire } from 'node:module';
import { FunctionError } from '@connecta/worker-kit';
import sharp, { type Sharp } from 'sharp';

/** A font that comes with the worker: a machine may have none, and then text would be drawn as nothing. */
const FONT_FILE = createRequire(import.meta.url).resolve('dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf');
const FONT = 'DejaVu Sans Bold 40';
const TEXT_DPI = 150;
const MAX_MARK_PIXELS = 25_000_000;

/** What a mark is made of: a text in a colour, or an image. */
export interface MarkSettings {
  text?: string;
  color: string;
  /** PNG, JPEG or WebP bytes, base64. */
  image?: string;
}

/** A mark as pixels, at the size it was drawn in. */
export interface Mark {
  readonly png: Buffer;
  readonly width: number;
  readonly height: number;
}

/** Draws a mark. @throws FunctionError invalid_settings when the image is none, or the text has nothing to draw. */
export async function drawMark(settings: MarkSettings): Promise<Mark> {
  try {
    const drawn = settings.image === undefined ? textMark(settings) : imageMark(settings.image);
    const { data, info } = await drawn.ensureAlpha().png().toBuffer({ resolveWithObject: true });
    return { png: data, width: info.width, height: info.height };
  } catch (error) {
    const told = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new FunctionError('permanent', 'invalid_settings', `the mark cannot be drawn: ${told}`, { cause: error });
  }
}

function textMark({ text = '', color }: MarkSettings): Sharp {
  const markup = `<span foreground="${color}">${escapeMarkup(text)}</span>`;
  return sharp({ text: { text: markup, font: FONT, fontfile: FONT_FILE, rgba: true, dpi: TEXT_DPI } });
}

function imageMark(base64: string): Sharp {
  return sharp(Buffer.from(base64, 'base64'), { limitInputPixels: MAX_MARK_PIXELS, failOn: 'error' }).autoOrient();
}

/** The text is Pango markup to libvips: what people write is only ever text. */
function escapeMarkup(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
