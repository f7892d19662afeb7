import { createServer } from 'node:net';

/**
 * Below the kernel's range for outgoing connections (32768 up on Linux): a client that keeps knocking at the port of a
 * server that is down would otherwise, sooner or later, be given that very port as its own, connect to itself and keep
 * the server from coming back.
 */
const range = { from: 15_000, to: 32_000 } as const;

/** A loopback port that nobody listens on: the preferred one when it is free, else a random one. */
export async function choosePort(preferred?: number): Promise<number> {
  if (preferred !== undefined && (await isFree(preferred))) return preferred;
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = range.from + Math.floor(Math.random() * (range.to - range.from));
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port between ${range.from} and ${range.to}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
