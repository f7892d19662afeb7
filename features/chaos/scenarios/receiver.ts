import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Who receives webhooks, and answers as he is told. */
export class Receiver {
  readonly url: string;
  /** Attempts by `webhook-id`. */
  readonly attempts = new Map<string, number>();
  readonly bodies: string[] = [];
  /** Of the same attempts as `bodies`. */
  readonly headers: IncomingHttpHeaders[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  /** `answerTo` gets the number of the attempt under an id, from 1: a status, or no answer at all. */
  static async start(answerTo: (attempt: number) => number | 'hang'): Promise<Receiver> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const receiver = new Receiver(server);
    server.on('request', (request, response) => {
      const id = String(request.headers['webhook-id']);
      const attempt = (receiver.attempts.get(id) ?? 0) + 1;
      receiver.attempts.set(id, attempt);
      const answer = answerTo(attempt);
      let body = '';
      request.on('data', (chunk) => (body += String(chunk)));
      request.on('end', () => {
        receiver.bodies.push(body);
        receiver.headers.push(request.headers);
        if (answer !== 'hang') response.writeHead(answer).end();
      });
    });
    return receiver;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
