import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';

const COMMANDS = ['redis-server', 'valkey-server'];

/** The Redis or Valkey of this machine.
 * @throws in CI when there is none: a missing Redis must not look like passing tests. */
export function redisCommand(): string | undefined {
  const found = COMMANDS.find((command) => spawnSync(command, ['--version']).status === 0);
  if (found) return found;
  if (process.env['CI'] === 'true') throw new Error('CI needs redis-server or valkey-server on the PATH');
  console.warn('SKIPPED: no redis-server or valkey-server on the PATH, the Redis backend is not tested');
  return undefined;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A Redis of a test's own, to be killed, stopped and emptied. */
export class RedisServer {
  readonly port: number;
  readonly #command: string;
  readonly #args: readonly string[];
  #process: ChildProcess | undefined;

  private constructor(command: string, port: number, args: readonly string[]) {
    this.#command = command;
    this.port = port;
    this.#args = args;
  }

  static async start(...args: string[]): Promise<RedisServer> {
    const server = new RedisServer(redisCommand() ?? 'redis-server', await freePort(), args);
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it (again), empty, on the same port. */
  async start(): Promise<void> {
    const args = ['--port', String(this.port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    this.#process = spawn(this.#command, [...args, ...this.#args], { stdio: 'ignore' });
    for (let tries = 0; tries < 100; tries++) {
      try {
        await this.ask((redis) => redis.ping());
        return;
      } catch {
        await delay(50);
      }
    }
    throw new Error('Redis did not start');
  }

  async kill(): Promise<void> {
    const running = this.#process;
    this.#process = undefined;
    if (!running || running.exitCode !== null) return;
    const gone = once(running, 'exit');
    running.kill('SIGKILL');
    await gone;
  }

  /** Freezes it: connections stay open and nobody answers. */
  pause(): void {
    this.#process?.kill('SIGSTOP');
  }

  resume(): void {
    this.#process?.kill('SIGCONT');
  }

  async ask<T>(question: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = new Redis(this.url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
    redis.on('error', () => undefined);
    try {
      await redis.connect();
      return await question(redis);
    } finally {
      redis.disconnect();
    }
  }
}
