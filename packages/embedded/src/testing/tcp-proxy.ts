import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';

/** What becomes of a connection; called with what travels on it, before it is passed on. */
export interface Wire {
  fromClient?: (chunk: Buffer) => void;
  fromServer?: (chunk: Buffer) => void;
  /** The connection is no more; may be told twice. */
  ended?: () => void;
}

export interface ProxyOptions {
  /** The server's URL; any scheme. */
  target: string;
  /** Watches each new connection; `kill` ends it at once, so that what was just seen does not arrive. */
  watch?: (kill: () => void) => Wire;
}

/** Stands between the engine and one of its stores, to break what connects them. */
export class TcpProxy {
  readonly #options: ProxyOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #down = false;

  private constructor(options: ProxyOptions) {
    this.#options = options;
    this.#server = createServer((client) => this.#join(client));
  }

  static async start(options: ProxyOptions): Promise<TcpProxy> {
    const proxy = new TcpProxy(options);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  /** The target's URL, by way of this proxy. */
  get url(): string {
    const url = new URL(this.#options.target);
    url.hostname = '127.0.0.1';
    url.port = String((this.#server.address() as AddressInfo).port);
    return url.toString();
  }

  /** Ends all connections and lets none in until `mend`. */
  cut(): void {
    this.#down = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#down = false;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket): void {
    if (this.#down) {
      client.destroy();
      return;
    }
    const { hostname, port } = new URL(this.#options.target);
    const server = connect(Number(port), hostname);
    const kill = (): void => {
      client.destroy();
      server.destroy();
      wire.ended?.();
    };
    const wire: Wire = this.#options.watch?.(kill) ?? {};
    const pass = (from: Socket, to: Socket, see?: (chunk: Buffer) => void): void => {
      from.setNoDelay(true);
      this.#sockets.add(from);
      from.on('data', (chunk) => {
        see?.(chunk);
        if (!to.destroyed) to.write(chunk);
      });
      from.on('error', kill);
      from.on('close', () => {
        this.#sockets.delete(from);
        kill();
      });
    };
    pass(client, server, wire.fromClient);
    pass(server, client, wire.fromServer);
  }
}

const COMMITTED = Buffer.from('COMMIT\0');

/** In front of Postgres: of `share` of all commits nobody hears, although they took place. */
export function losesCommits(share: number): { watch: (kill: () => void) => Wire; lost: () => number } {
  let lost = 0;
  let seen = 0;
  const watch = (kill: () => void): Wire => ({
    fromServer: (chunk) => {
      // The server's word that a transaction was committed: a CommandComplete.
      if (!chunk.includes(COMMITTED) || ++seen % Math.round(1 / share) !== 0) return;
      lost++;
      kill();
    },
  });
  return { watch, lost: () => lost };
}
