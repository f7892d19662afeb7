import { request, createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What becomes of one request on its way to storage. */
export type Fault = 'pass' | 'unavailable' | 'reset' | { cutBodyAfter: number };

export interface FaultProxy {
  connectionString: string;
  /** Decides about every request from now on; without it all pass. */
  decide: (req: IncomingMessage) => Fault;
  close(): Promise<void>;
}

/** An HTTP proxy in front of Blob Storage that can refuse, reset or cut what passes. */
export async function startFaultProxy(connectionString: string): Promise<FaultProxy> {
  const endpoint = new URL(/BlobEndpoint=([^;]+)/.exec(connectionString)?.[1] ?? '');
  const proxy: Pick<FaultProxy, 'decide'> = { decide: () => 'pass' };
  const server = createServer((req, res) => {
    const fault = proxy.decide(req);
    if (fault === 'reset') req.socket.destroy();
    else if (fault === 'unavailable') refuse(req, res);
    else forward(req, res, { endpoint, cutAfter: fault === 'pass' ? Infinity : fault.cutBodyAfter });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const own = connectionString.replace(endpoint.origin, `http://127.0.0.1:${port}`);
  return Object.assign(proxy, {
    connectionString: own,
    close: async (): Promise<void> => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

function refuse(req: IncomingMessage, res: ServerResponse): void {
  req.resume();
  req.once('end', () => res.writeHead(503, { 'x-ms-error-code': 'ServerBusy' }).end());
}

function forward(req: IncomingMessage, res: ServerResponse, to: { endpoint: URL; cutAfter: number }): void {
  const { hostname, port, host } = to.endpoint;
  // Azurite checks the signature against the path alone: another host header does no harm.
  const out = request({ hostname, port, path: req.url, method: req.method, headers: { ...req.headers, host } });
  req.pipe(out);
  out.once('error', () => res.destroy());
  out.once('response', (answer) => {
    res.writeHead(answer.statusCode ?? 500, answer.headers);
    let sent = 0;
    answer.on('data', (chunk: Buffer) => {
      sent += chunk.length;
      if (sent > to.cutAfter) return void res.destroy();
      if (!res.write(chunk)) {
        answer.pause();
        res.once('drain', () => answer.resume());
      }
    });
    answer.once('end', () => res.end());
  });
}
