/**
 * The floor's worker process: each task of an order adds the next one's job by hand before its own job completes. No
 * database, no attempts, leases, timers or history: the least that three BullMQ jobs one after the other can cost.
 */
import { Queue, Worker } from 'bullmq';
import type { Job } from 'bullmq';
import { floorConcurrency, floorConnection, floorQueues, forgotten } from './queues.ts';
import type { FloorJob } from './queues.ts';

const connection = floorConnection(process.env['REDIS_URL'] ?? '');
const multiply = new Queue<FloorJob>(floorQueues.multiply, { connection });
const subtract = new Queue<FloorJob>(floorQueues.subtract, { connection });

function work(queue: string, task: (job: FloorJob) => Promise<number>): Worker<FloorJob, number> {
  const worker = new Worker<FloorJob, number>(queue, ({ data }: Job<FloorJob>) => task(data), {
    connection,
    concurrency: floorConcurrency,
  });
  worker.on('error', (error) => process.stderr.write(`${error.message}\n`));
  return worker;
}

const workers = [
  work(floorQueues.add, async ({ orderId, value }) => {
    const sum = value + 2;
    await multiply.add(floorQueues.multiply, { orderId, value: sum }, forgotten);
    return sum;
  }),
  work(floorQueues.multiply, async ({ orderId, value }) => {
    const product = value * 2;
    await subtract.add(floorQueues.subtract, { orderId, value: product }, { jobId: orderId });
    return product;
  }),
  work(floorQueues.subtract, async ({ value }) => value - 1),
];

for (const worker of workers) await worker.waitUntilReady();
process.send?.('ready');
process.on('disconnect', () => process.exit(0));
