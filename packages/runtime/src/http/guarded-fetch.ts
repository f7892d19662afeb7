import { lookup as resolve } from 'node:dns';
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** What is called answers settings, schemas or nothing: more than this is a mistake. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/**
 * Addresses that no name may lead to. `link-local`: this host as "any", link-local (the metadata service of clouds),
 * multicast; for names that are allowed and may live in the private network. `private`: those, loopback and every
 * private range too; for names that a stranger chose.
 */
const FORBIDDEN = { 'link-local': linkLocal(new BlockList()), private: privateNetworks(linkLocal(new BlockList())) };
export type ForbiddenAddresses = keyof typeof FORBIDDEN;

function linkLocal(list: BlockList): BlockList {
  list.addSubnet('0.0.0.0', 8, 'ipv4');
  list.addSubnet('169.254.0.0', 16, 'ipv4');
  list.addSubnet('224.0.0.0', 3, 'ipv4');
  list.addAddress('::', 'ipv6');
  list.addSubnet('fe80::', 10, 'ipv6');
  list.addSubnet('ff00::', 8, 'ipv6');
  return list;
}

function privateNetworks(list: BlockList): BlockList {
  list.addSubnet('127.0.0.0', 8, 'ipv4');
  list.addSubnet('10.0.0.0', 8, 'ipv4');
  list.addSubnet('100.64.0.0', 10, 'ipv4');
  list.addSubnet('172.16.0.0', 12, 'ipv4');
  list.addSubnet('192.168.0.0', 16, 'ipv4');
  list.addAddress('::1', 'ipv6');
  list.addSubnet('fc00::', 7, 'ipv6');
  list.addSubnet('64:ff9b::', 96, 'ipv6');
  return list;
}

/** Thrown when a name resolves to an address that must not be called. */
export class ForbiddenAddressError extends Error {
  override readonly name = 'ForbiddenAddressError';
}

/** Checks each address at the moment of connecting: what a name meant before does not count. */
function guardedLookup(forbidden: BlockList): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 0);
      const allowed = addresses.filter(
        ({ address, family }) => !forbidden.check(address, family === 6 ? 'ipv6' : 'ipv4'),
      );
      const [first] = allowed;
      if (!first)
        return callback(new ForbiddenAddressError(`${hostname} leads to an address that is not called`), '', 0);
      if (options.all) return callback(null, allowed);
      callback(null, first.address, first.family);
    });
  };
}

/** A `fetch` whose addresses are checked: no redirects, bounded answers, connections kept. */
export class GuardedFetch {
  readonly #http = new HttpAgent({ keepAlive: true, maxSockets: 20, timeout: 60_000 });
  readonly #https = new HttpsAgent({ keepAlive: true, maxSockets: 20, timeout: 60_000 });
  readonly #timeoutMs: number;
  readonly #forbidden: BlockList;
  readonly #lookup: LookupFunction;

  constructor(options: { timeoutMs: number; forbidden?: ForbiddenAddresses }) {
    this.#timeoutMs = options.timeoutMs;
    this.#forbidden = FORBIDDEN[options.forbidden ?? 'link-local'];
    this.#lookup = guardedLookup(this.#forbidden);
  }

  /** Ends the connections that are kept. */
  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }

  readonly fetch = async (request: Request): Promise<Response> => {
    const url = new URL(request.url);
    const body = request.body ? Buffer.from(await request.arrayBuffer()) : undefined;
    const answer = await this.#send(url, request, body);
    const bytes = await readAll(answer);
    const headers = new Headers();
    for (const name of ['content-type', 'etag', 'location', 'retry-after']) {
      const value = answer.headers[name];
      if (typeof value === 'string') headers.set(name, value);
    }
    const status = answer.statusCode ?? 0;
    if (status < 200 || status > 599) throw new TypeError(`an answer with the status ${status}`);
    return new Response(bytes.length === 0 || status === 204 || status === 304 ? null : bytes, { status, headers });
  };

  #send(url: URL, request: Request, body: Buffer | undefined): Promise<IncomingMessage> {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    if (isIP(host) && this.#forbidden.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4')) {
      return Promise.reject(new ForbiddenAddressError(`${host} is not called`));
    }
    const secure = url.protocol === 'https:';
    return new Promise((settle, fail) => {
      const sent = (secure ? httpsRequest : httpRequest)(
        url,
        {
          method: request.method,
          headers: { ...Object.fromEntries(request.headers), ...(body ? { 'content-length': body.length } : {}) },
          agent: secure ? this.#https : this.#http,
          lookup: this.#lookup,
          signal: AbortSignal.timeout(this.#timeoutMs),
        },
        settle,
      );
      sent.on('error', fail);
      sent.end(body);
    });
  }
}

async function readAll(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) throw new TypeError(`an answer of more than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
