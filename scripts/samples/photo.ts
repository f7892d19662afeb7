import { crc32, deflateSync } from 'node:zlib';

/** A picture that exists nowhere: a sky, a sun and hills, as a PNG. */
export function drawPhoto(width: number, height: number): Buffer {
  const rows = Array.from({ length: height }, (_, y) => {
    const row = Buffer.alloc(1 + width * 3); // the first byte of a row is its filter: none
    for (let x = 0; x < width; x += 1) row.set(colourAt(x / width, y / height), 1 + x * 3);
    return row;
  });
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8); // 8 bits a channel, RGB
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const pixels = deflateSync(Buffer.concat(rows));
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))]);
}

/** https://www.w3.org/TR/png/#5Chunk-layout: length, type, data, CRC of type and data. */
function chunk(type: string, data: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(typed.length + 8);
  framed.writeUInt32BE(data.length, 0);
  typed.copy(framed, 4);
  framed.writeUInt32BE(crc32(typed), typed.length + 4);
  return framed;
}

function colourAt(x: number, y: number): readonly [number, number, number] {
  const hill = 0.68 + 0.08 * Math.sin(x * 9) + 0.04 * Math.sin(x * 23);
  if (y > hill) return [40 + 60 * (1 - y), 90 + 80 * (y - hill), 50];
  if (Math.hypot(x - 0.72, (y - 0.28) * 0.75) < 0.07) return [255, 236, 170];
  return [90 + 120 * y, 150 + 70 * y, 230];
}
