import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * What goes wrong with a call: it is answered with this status and not done; it is done, but its answer gets lost; it is
 * done after a while; or its answer breaks off after so many bytes.
 */
export type Fault =
  | { kind: 'status'; status: number; code: string }
  | { kind: 'lost-answer' }
  | { kind: 'late'; delayMs: number }
  | { kind: 'breaks-off'; afterBytes: number };

interface Planned {
  matches: (method: string, path: string) => boolean;
  fault: Fault;
  left: number;
}

/** Faults that were ordered for coming calls. */
export class Faults {
  #planned: Planned[] = [];

  /** The next `times` calls that match go wrong. Returns a way to ask how many have not come yet. */
  plan(method: string, path: RegExp, fault: Fault, times = 1): { left(): number; end(): void } {
    const planned: Planned = { matches: (m, p) => m === method && path.test(p), fault, left: times };
    this.#planned.push(planned);
    return { left: () => planned.left, end: () => (planned.left = 0) };
  }

  clear(): void {
    this.#planned = [];
  }

  /** Lets a call through to `serve`, or makes it go wrong. True when it went wrong for the worker. */
  apply(req: IncomingMessage, res: ServerResponse, serve: () => void): boolean {
    const path = (req.url ?? '').split('?')[0] ?? '';
    const found = this.#planned.find((one) => one.left > 0 && one.matches(req.method ?? '', path));
    if (!found) {
      serve();
      return false;
    }
    found.left--;
    const { fault } = found;
    switch (fault.kind) {
      case 'status':
        answerProblem(req, res, fault);
        return true;
      case 'lost-answer':
        loseAfter(res, 0);
        serve();
        return true;
      case 'breaks-off':
        loseAfter(res, fault.afterBytes);
        serve();
        return true;
      case 'late':
        setTimeout(serve, fault.delayMs);
        return false;
      default:
        return fault satisfies never;
    }
  }
}

function answerProblem(
  req: IncomingMessage,
  res: ServerResponse,
  { status, code }: { status: number; code: string },
): void {
  const send = (): void => {
    res.writeHead(status, { 'content-type': 'application/problem+json' });
    const title = 'ordered by the conformance kit';
    res.end(JSON.stringify({ type: `urn:connecta:problem:${code}`, title, status, code, detail: title }));
  };
  req.once('end', send);
  req.resume();
}

/** Cuts the connection after so many bytes of the answer. */
function loseAfter(res: ServerResponse, bytes: number): void {
  let kept = Buffer.alloc(0);
  const keep = (chunk: unknown): void => {
    if (typeof chunk === 'string' || chunk instanceof Uint8Array) kept = Buffer.concat([kept, Buffer.from(chunk)]);
  };
  res.write = ((chunk: unknown) => {
    keep(chunk);
    return true;
  }) as typeof res.write;
  res.end = ((chunk: unknown) => {
    keep(chunk);
    if (bytes === 0 || kept.length <= bytes) {
      res.socket?.destroy();
      return res;
    }
    res.socket?.write(headOf(res, kept.length));
    res.socket?.end(kept.subarray(0, bytes));
    return res;
  }) as typeof res.end;
}

function headOf(res: ServerResponse, length: number): string {
  const type = res.getHeader('content-type');
  const shown = typeof type === 'string' ? type : 'application/octet-stream';
  return `HTTP/1.1 ${res.statusCode} OK\r\nContent-Type: ${shown}\r\nContent-Length: ${length}\r\n\r\n`;
}
