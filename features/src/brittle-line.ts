import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A network between a client and a server that a test holds in its hands. */
export interface BrittleLine {
  readonly url: string;
  /** How many connections were broken. */
  cuts(): number;
  /** When nothing goes through any more. */
  readonly stuck: Promise<void>;
  /** Lets everything through from now on. */
  flow(): void;
  close(): void;
}

/** A way to a server that breaks each connection after so many bytes to it, or lets all of them stand still after so many. */
export async function brittleLine(
  target: URL,
  {
    cutAfter = Number.POSITIVE_INFINITY,
    stopAfter = Number.POSITIVE_INFINITY,
  }: { cutAfter?: number; stopAfter?: number },
): Promise<BrittleLine> {
  const sockets = new Set<Socket>();
  let cuts = 0;
  let total = 0;
  let standing = true;
  const stuck = Promise.withResolvers<void>();
  const server = createServer((inbound) => {
    const outbound = connect(Number(target.port), target.hostname);
    let seen = 0;
    for (const socket of [inbound, outbound]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        inbound.destroy();
        outbound.destroy();
      });
    }
    outbound.pipe(inbound);
    inbound.on('data', (chunk: Buffer) => {
      seen += chunk.length;
      total += chunk.length;
      if (seen > cutAfter) {
        cuts += 1;
        inbound.destroy();
        return;
      }
      if (total > stopAfter && standing) {
        inbound.pause();
        stuck.resolve();
        return;
      }
      if (!outbound.write(chunk)) {
        inbound.pause();
        outbound.once('drain', () => inbound.resume());
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    cuts: () => cuts,
    stuck: stuck.promise,
    flow: () => (standing = false),
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
