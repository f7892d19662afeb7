/**
 * A client like any other: it knows an address (CONNECTA_URL) and a key (CONNECTA_KEY), makes sure that client-x and its
 * contract exist, sends the sample orders and prints their traces. Exits with 0 only if each ended as it must.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Gateway } from './samples/gateway.ts';
import { samples } from './samples/orders.ts';
import { traceOf } from './samples/trace.ts';

const workersTimeoutMs = 60_000;
const orderTimeoutMs = 120_000;
const conflict = 409;

const contract = {
  name: 'client-x',
  steps: {
    bright: { uses: 'generic/bright' },
    sizes: { uses: 'generic/device-sizes', needs: ['bright'] },
    mark: { uses: 'generic/client-x-mark', needs: ['sizes'] },
  },
  output: 'mark',
};

const gateway = new Gateway({ url: process.env['CONNECTA_URL'] ?? '', key: process.env['CONNECTA_KEY'] ?? '' });

const tasks = [
  'generic/add-2',
  'generic/times-2',
  ...Object.values(contract.steps).map(({ uses }) => uses),
  'cu/gzip',
  'big-function/tiles',
];

/** The worker types register on their own, with the profiles they come with, a moment after the gateways are up. */
async function untilTasksAreKnown(): Promise<void> {
  const deadline = Date.now() + workersTimeoutMs;
  for (const task of tasks) {
    while (!(await isKnown(task))) {
      if (Date.now() > deadline) throw new Error(`task ${task} is not there after ${workersTimeoutMs} ms`);
      await sleep(200);
    }
  }
}

async function isKnown(task: string): Promise<boolean> {
  const [type = '', name = ''] = task.split('/');
  const answer = await gateway.send('GET', `/v1/workers/${type}/profiles?name=${name}`, { also: [404, 503] });
  if (!answer.ok) return false;
  const { items } = (await answer.json()) as { items: unknown[] };
  return items.length > 0;
}

async function sendSamples(): Promise<boolean> {
  await untilTasksAreKnown();
  await gateway.send('POST', '/v1/workflows', { body: contract, also: [conflict] });
  await gateway.send('POST', '/v1/clients', { body: { name: 'client-x', workflow: 'client-x' }, also: [conflict] });
  let allAsExpected = true;
  for (const { title, body, check } of samples) {
    const startedAt = performance.now();
    const order = await gateway.order(body(), orderTimeoutMs);
    const took = Math.round(performance.now() - startedAt);
    const fault = order.state === 'completed' ? await check(order, gateway) : `it ended ${order.state}`;
    process.stdout.write(
      `\n${fault ? '✗' : '✓'} ${title} (${took} ms)${fault ? `: ${fault}` : ''}\n${traceOf(order)}\n`,
    );
    allAsExpected &&= fault === undefined;
  }
  return allAsExpected;
}

try {
  process.exitCode = (await sendSamples()) ? 0 : 1;
} catch (error) {
  process.stderr.write(`sample client: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
