/**
 * Connecta as a peer of the harness that measures many durable-execution systems with the same three-step order: the
 * same stores, clock and checks for all. See README.md for how to put it there.
 *
 * The harness gives Postgres and Redis; the gateways, the orchestrator, the generic worker and the Blob Storage
 * emulator are started as processes of their own below the one worker process that the harness asks for, so their CPU
 * and memory are counted. The client speaks HTTP to fe-api and nothing else.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openConnectaClient } from '../src/connecta/client.ts';
import { makeFanOut, sumOf } from '../src/connecta/fan-out.ts';
import { Gateway } from '../src/connecta/gateway.ts';
import { makeChain } from '../src/connecta/profiles.ts';
import { startConnecta } from '../src/connecta/start.ts';

/** The harness runs every program from its own folder. */
const { DATA, PG_URL, PORTS } = await import(pathToFileURL(join(process.cwd(), 'lib/servers.mjs')).href);
/** The harness's default; its fan-out asks for as many. */
const children = 200;
const addressFile = join(DATA, 'connecta.json');

export const meta = {
  title: 'Connecta: HTTP in, batched Postgres state, BullMQ delivery',
  servers: ['postgres', 'redis'],
  n: 10_000,
  warm: 2_000,
  workers: ['system'],
};

/** Every run begins on empty servers: there is nothing to set up before the system starts and migrates. */
export async function setup() {
  writeFileSync(addressFile, 'null');
}

export async function worker() {
  const system = await startConnecta({
    dataDir: join(DATA, 'connecta'),
    searchPath: process.env.PATH ?? '',
    given: { DATABASE_URL: PG_URL(), REDIS_URL: `redis://127.0.0.1:${PORTS.redis}` },
    log: ({ process: name, event, detail }) => console.error(name, event, detail ?? ''),
  });
  writeFileSync(addressFile, JSON.stringify({ url: system.url, key: system.key }), { mode: 0o600 });
  process.once('SIGTERM', () => void system.stop().finally(() => process.exit(0)));
}

/** The profiles are made the way an operator makes them, once the system is up. */
export async function afterWorkers() {
  const gateway = openGateway();
  await makeChain(gateway);
  await makeFanOut(gateway, children);
  await gateway.close();
}

export async function client() {
  const gateway = openGateway();
  const connecta = await openConnectaClient({ ...address(), tasks: await makeChain(gateway) });
  const fanOut = await makeFanOut(gateway, children);
  const orderOf = new Map();
  return {
    async many(ids, submitted) {
      const orders = await connecta.placeMany(ids.length, submitted);
      const results = await connecta.resultsOf(orders);
      ids.forEach((id, at) => orderOf.set(id, orders[at]));
      return new Map(ids.map((id, at) => [id, results.get(orders[at])]));
    },
    async one() {
      return (await connecta.placeOne()).result;
    },
    async fanout(_id, wanted) {
      if (wanted !== children) throw new Error(`the fan-out is made for ${children} children`);
      const order = await gateway.send('POST', '/v1/orders', { body: fanOut, headers: { prefer: 'wait=60' } });
      return sumOf(order.result);
    },
    lookup: (id) => connecta.lookUp(orderOf.get(id)),
    async close() {
      await connecta.close();
      await gateway.close();
    },
  };
}

const address = () => JSON.parse(readFileSync(addressFile, 'utf8'));
const openGateway = () => new Gateway({ ...address(), connections: 4 });
