import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { Problem } from '@connecta/contracts';

/** A listening HTTP server. */
export interface HttpServer {
  readonly port: number;
  readonly url: string;
  /**
   * Stops: no new connection, idle ones closed, requests in flight finished within `graceMs`, the rest cut. May be
   * called twice.
   */
  close(graceMs?: number): Promise<void>;
}

const DEFAULT_GRACE_MS = 10_000;

/**
 * Serves on a host and port (0: any free one).
 *
 * @throws the listening error, e.g. EADDRINUSE.
 */
export async function startServer(
  app: RequestListener,
  options: { port: number; host?: string; requestTimeoutMs?: number },
): Promise<HttpServer> {
  const host = options.host ?? '127.0.0.1';
  const server = createServer({ keepAliveTimeout: 65_000, requestTimeout: options.requestTimeoutMs ?? 0 }, app);
  server.on('clientError', refuseBrokenRequest);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { port } = server.address() as AddressInfo;
  let closed: Promise<void> | undefined;
  return {
    port,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    close: (graceMs = DEFAULT_GRACE_MS) => (closed ??= closeServer(server, graceMs)),
  };
}

async function closeServer(server: Server, graceMs: number): Promise<void> {
  const done = new Promise<void>((resolve) => server.close(() => resolve()));
  // A connection whose answer ends after `close()` stays open for its keep-alive time unless it is swept.
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  const cut = setTimeout(() => server.closeAllConnections(), graceMs);
  await done;
  clearInterval(sweep);
  clearTimeout(cut);
}

/** Answers what is no whole HTTP request, such as a body whose sender stopped half-way and still listens. */
function refuseBrokenRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const what = error.code === 'HPE_INVALID_EOF_STATE' ? 'broke off before its end' : 'is not valid HTTP';
  const body = JSON.stringify(new Problem('bad_request', `The request ${what}`).toDocument());
  const head = [
    'HTTP/1.1 400 Bad Request',
    'Content-Type: application/problem+json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}
