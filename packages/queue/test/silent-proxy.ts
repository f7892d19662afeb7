import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A TCP proxy on loopback whose connections can go silent: open on both sides, and nothing passes any more. */
export class SilentProxy {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #refusing = false;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async to(port: number): Promise<SilentProxy> {
    const server = createServer();
    const proxy = new SilentProxy(server);
    server.on('connection', (client) => {
      if (proxy.#refusing) return void client.destroy();
      const target = connect(port, '127.0.0.1');
      const pair = [client, target] as const;
      proxy.#pairs.add(pair);
      client.pipe(target).pipe(client);
      for (const socket of pair)
        socket
          .on('error', () => undefined)
          .on('close', () => {
            proxy.#pairs.delete(pair);
            client.destroy();
            target.destroy();
          });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Silences the connections there are; new ones work. Returns how many. */
  silence(): number {
    for (const [client, target] of this.#pairs) {
      client.unpipe(target);
      target.unpipe(client);
      client.pause();
      target.pause();
    }
    return this.#pairs.size;
  }

  /** Ends the connections there are and (while `refusing`) every new one at once. */
  refuse(refusing: boolean): void {
    this.#refusing = refusing;
    for (const [client] of this.#pairs) client.destroy();
  }

  close(): void {
    for (const [client, target] of this.#pairs) {
      client.destroy();
      target.destroy();
    }
    this.#server.close();
  }
}
