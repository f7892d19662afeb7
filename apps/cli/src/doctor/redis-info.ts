import { connect as connectPlain } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { EXIT, reasonOf } from '../failures.ts';
import type { Finding } from './finding.ts';

const TIMEOUT_MS = 3_000;
const MOST_BYTES = 256 * 1024;

/** Looks at the Redis of REDIS_URL, where this machine is told one: is it there, may we in, does it keep what it is given? */
export async function examineRedis(env: Readonly<Record<string, string | undefined>>): Promise<Finding | undefined> {
  const text = env['REDIS_URL'];
  if (!text) return undefined;
  const url = URL.parse(text);
  if (!url) return bad('REDIS_URL is no address.');
  try {
    const info = await ask(url);
    const field = (name: string): string | undefined => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
    const policy = field('maxmemory_policy');
    if (policy === undefined)
      return bad(
        `Redis at ${url.host} refuses: ${info.split('\r\n').find((line) => line.startsWith('-')) ?? 'no INFO'}`,
      );
    if (policy !== 'noeviction') {
      return bad(
        `Redis has the eviction policy ${policy}, which drops work silently: the queue refuses it.`,
        'redis-cli CONFIG SET maxmemory-policy noeviction, and in redis.conf',
      );
    }
    if (field('role') === 'slave') return bad('This Redis is a replica: the queue needs the primary.');
    return { name: 'redis', state: 'ok', message: `${field('redis_version') ?? ''} at ${url.host}, ${policy}` };
  } catch (error) {
    return bad(`Redis at ${url.host} (REDIS_URL) cannot be reached: ${reasonOf(error)}.`);
  }
}

const bad = (message: string, hint?: string): Finding => ({
  name: 'redis',
  state: 'bad',
  message,
  ...(hint === undefined ? {} : { hint }),
  exitCode: EXIT.unavailable,
});

/** What Redis answers to AUTH and INFO, as text; the protocol needs no client for that. */
async function ask({ hostname, port, username, password, protocol }: URL): Promise<string> {
  const host = hostname.replace(/^\[|\]$/g, '');
  const target = { host, port: Number(port || 6379) };
  const socket = protocol === 'rediss:' ? connectTls({ ...target, servername: host }) : connectPlain(target);
  socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('it did not answer in time')));
  const login = password
    ? [['AUTH', ...(username ? [decodeURIComponent(username)] : []), decodeURIComponent(password)]]
    : [];
  for (const words of [...login, ['INFO'], ['QUIT']]) {
    socket.write(`*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`);
  }
  let answer = '';
  for await (const chunk of socket) {
    answer += String(chunk);
    if (answer.length > MOST_BYTES) break;
  }
  socket.destroy();
  return answer;
}
