import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';

/** A receiver that answers what it is told to and keeps what it got. */
export class Receiver {
  readonly got: { headers: IncomingHttpHeaders; body: string }[] = [];
  readonly answers: number[] = [];
  readonly server: Server = createServer((req, res) => {
    void text(req).then((body) => {
      this.got.push({ headers: req.headers, body });
      const status = this.answers.shift() ?? 204;
      if (status > 0) res.writeHead(status, { 'content-type': 'text/plain' }).end(status < 300 ? '' : 'not now');
    });
  });

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/hook`;
  }
}

/** Starts the mail server of smtp-server.ts. */
export async function startSmtp(env: Record<string, string>) {
  const child: ChildProcess = spawn(process.execPath, [join(import.meta.dirname, 'smtp-server.ts')], {
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout as NonNullable<typeof child.stdout> })[Symbol.asyncIterator]();
  const read = async (): Promise<unknown> => JSON.parse((await lines.next()).value as string);
  const { port } = (await read()) as { port: number };
  return {
    port,
    mail: () => read() as Promise<{ to: string[]; mail: string }>,
    stop: async () => {
      child.stdin?.end();
      await once(child, 'exit');
    },
  };
}
