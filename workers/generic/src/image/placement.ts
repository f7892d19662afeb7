export const GRAVITIES = [
  'northwest',
  'north',
  'northeast',
  'west',
  'center',
  'east',
  'southwest',
  'south',
  'southeast',
] as const;
export type Gravity = (typeof GRAVITIES)[number];

interface Size {
  width: number;
  height: number;
}

/**
 * Where a mark goes and how large it is, in pixels: `size` is the share of the image's width that it spans, `margin`
 * its distance from the edges, also as a share of the width. A mark that would not fit between the margins is smaller.
 */
export function placeMark(options: {
  image: Size;
  mark: Size;
  size: number;
  margin: number;
  gravity: Gravity;
}): Size & {
  left: number;
  top: number;
} {
  const { image, mark, gravity } = options;
  const margin = Math.min(
    Math.round(image.width * options.margin),
    Math.floor((Math.min(image.width, image.height) - 1) / 2),
  );
  const room = { width: image.width - 2 * margin, height: image.height - 2 * margin };
  const wanted = (image.width * options.size) / mark.width;
  const scale = Math.min(wanted, room.width / mark.width, room.height / mark.height);
  const width = Math.min(room.width, Math.max(1, Math.round(mark.width * scale)));
  const height = Math.min(room.height, Math.max(1, Math.round(mark.height * scale)));
  const left = along(gravity.includes('west'), gravity.includes('east'), room.width - width);
  const top = along(gravity.startsWith('north'), gravity.startsWith('south'), room.height - height);
  return { width, height, left: margin + left, top: margin + top };
}

function along(atStart: boolean, atEnd: boolean, free: number): number {
  if (atStart) return 0;
  return atEnd ? free : Math.floor(free / 2);
}
