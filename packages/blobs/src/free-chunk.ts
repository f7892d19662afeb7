/**
 * Frees the memory of bytes that nobody will read again, where they fill a buffer of their own (as every chunk of an HTTP
 * body does). The garbage collector frees such memory late, since it lies outside of its heap: a large body let a process
 * grow by 50 to 80 MiB, with this by about 10.
 */
export function freeChunk(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (!(buffer instanceof ArrayBuffer) || bytes.byteLength === 0) return;
  if (bytes.byteLength === buffer.byteLength) buffer.transfer(0);
}
