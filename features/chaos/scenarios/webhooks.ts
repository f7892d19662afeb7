import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { until } from '../../src/system.ts';
import { must, type Scenario } from './scenario.ts';

/** F32: receivers that fail, hang and forget: every end arrives, under one id, and no order waits for it. */
export const webhooks: Scenario = {
  id: 'F32',
  title: 'webhook receivers that fail and hang',
  async run({ system: { api, store } }, random, orders) {
    const calls = new Map<string, number>();
    const server = createServer((req, res) => {
      const id = String(req.headers['webhook-id']);
      const attempt = (calls.get(id) ?? 0) + 1;
      calls.set(id, attempt);
      const chance = attempt === 1 ? random.next() : 1;
      if (chance < 0.1) return;
      req.resume().on('end', () => res.writeHead(chance < 0.4 ? 500 : 204).end());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const webhook = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
      const count = Math.min(orders, 100);
      const order = { client: 'default', input: 1, tasks: ['probe/quick'], webhook };
      const ids = await api.placeMany(Array.from({ length: count }, () => order));
      for (const id of ids) must((await api.ended(id)).state === 'completed', 'an order waited for its webhook');
      const delivered = async (): Promise<boolean> =>
        (await store.prisma.delivery.count({ where: { orderId: { in: ids }, state: 'delivered' } })) === count;
      await until(delivered, 120_000);
      const again = [...calls.values()].filter((attempts) => attempts > 1).length;
      must(calls.size === count, `${calls.size} ids for ${count} orders`);
      must(again > 0, 'no receiver failed');
      return `${count} ends delivered, ${again} of them in a second attempt`;
    } finally {
      server.closeAllConnections();
      server.close();
    }
  },
};
