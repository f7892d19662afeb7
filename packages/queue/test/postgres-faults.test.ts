import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { testServices, type TestServices } from '@connecta/embedded';
import pg from 'pg';
import { openQueue, QueueUnavailableError, type OpenQueueOptions, type QueueBackend } from '../src/index.ts';
import { completed, deliveries, readValues, until } from './deliveries.ts';
import { EchoProcess } from './echo-process.ts';
import { SilentProxy } from './silent-proxy.ts';

const PREFIX = 'q';
const PASSWORD = 'p\'ss/w"rd:1';

describe('with Postgres', () => {
  let services: TestServices;
  let url = '';
  let admin: pg.Pool;
  let open: QueueBackend[] = [];
  let workers: EchoProcess[] = [];
  let type = '';
  let count = 0;

  beforeAll(async () => {
    services = await testServices();
    url = await services.queueDatabaseUrl();
    admin = new pg.Pool({ connectionString: url, max: 1 });
    admin.on('error', () => undefined);
  });
  beforeEach(() => {
    type = `type-${++count}`;
  });
  afterEach(async () => {
    await Promise.all([...workers.map((worker) => worker.stop()), ...open.map((queue) => queue.close())]);
    workers = [];
    open = [];
  });
  afterAll(async () => {
    await admin.end();
    await services.close();
  });

  const openOne = (options: Partial<OpenQueueOptions> = {}): QueueBackend => {
    const queue = openQueue({ kind: 'postgres', url, prefix: PREFIX, onError: () => undefined, ...options });
    open.push(queue);
    return queue;
  };
  const startWorker = (workerUrl = url, ...args: string[]): Promise<EchoProcess> => {
    const worker = new EchoProcess('postgres', workerUrl, PREFIX, type, ...args);
    workers.push(worker);
    return worker.ready();
  };
  const roundTrip = async (queue: QueueBackend, reading: ReturnType<typeof readValues>, total: number) => {
    await queue.jobs.enqueue(new Map([[type, deliveries(total)]]));
    expect(new Set(await reading)).toEqual(new Set(Array.from({ length: total }, (_none, at) => at)));
  };

  test('whose connections all break, everything connects again and no report is lost', async () => {
    const queue = openOne();
    const worker = await startWorker();
    const reader = queue.events.reader({ consumer: 'r', workerTypes: () => [type] });
    await roundTrip(queue, readValues(reader, 10), 10);
    for (let round = 0; round < 3; round++) {
      const reading = readValues(reader, 120);
      await delay(100);
      const publishing = queue.events.publish(
        type,
        Array.from({ length: 20 }, (_none, at) => completed(100 + at)),
      );
      await admin.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
      );
      await publishing;
      // Each dead connection of the pool may cost a call: the caller tries again, as the engine does.
      await until('the queue takes work again', () =>
        queue.jobs.enqueue(new Map([[type, deliveries(100)]])).then(
          () => true,
          (error: unknown) => {
            expect(error).toBeInstanceOf(QueueUnavailableError);
            return false;
          },
        ),
      );
      expect(new Set(await reading).size).toBe(120);
    }
    expect(worker.alive).toBe(true);
  });

  test('that nobody can reach, calls are refused in time and reports wait', async () => {
    const proxy = await SilentProxy.to(Number(new URL(url).port));
    const through = new URL(url);
    through.port = String(proxy.port);
    const queue = openOne({ url: through.href });
    await queue.jobs.counts(type);
    proxy.refuse(true);
    const start = Date.now();
    await expect(queue.jobs.enqueue(new Map([[type, deliveries(1)]]))).rejects.toThrow(QueueUnavailableError);
    expect(Date.now() - start).toBeLessThan(20_000);
    let published = false;
    const publishing = queue.events.publish(type, [completed(1)]).then(() => (published = true));
    await delay(1_000);
    expect(published).toBe(false);
    proxy.refuse(false);
    await publishing;
    await queue.jobs.enqueue(new Map([[type, deliveries(1)]]));
    expect(await queue.jobs.counts(type)).toEqual({ waiting: 1, active: 0 });
    await queue.close();
    proxy.close();
  });

  test("a type's account is enough to take work, end it and report, packs included", async () => {
    const queue = openOne();
    const { url: own } = await queue.accounts.assert(type, PASSWORD);
    const worker = await startWorker(own);
    const reader = queue.events.reader({ consumer: 'r', workerTypes: () => [type] });
    await roundTrip(queue, readValues(reader, 10), 10);
    await roundTrip(queue, readValues(reader, 200), 200);
    expect(worker.messages.filter((line) => line.startsWith('error'))).toEqual([]);
  });

  test("a type's account cannot look into another type, the reports, or the server", async () => {
    const queue = openOne();
    const other = `${type}-other`;
    await queue.jobs.enqueue(new Map([[other, deliveries(1)]]));
    const { url: own } = await queue.accounts.assert(type, PASSWORD);
    await queue.accounts.assert(other, 'x');
    const client = new pg.Client({ connectionString: own });
    await client.connect();
    const schema = (name: string): string => `"${PREFIX}_$_${name.replaceAll('-', '$d')}"`;
    const refused = [
      `select * from ${schema(other)}.job`,
      `delete from ${schema(other)}.job`,
      `select ${schema(other)}.publish_reports(array['[]'])`,
      `select * from "${PREFIX}".reports`,
      `insert into "${PREFIX}".reports (worker_type, body) values ('${other}', '[]')`,
      `select * from "${PREFIX}".markers`,
      `create table public.mine (id int)`,
      `create table ${schema(type)}.mine (id int)`,
      `create schema mine`,
      `create role mine`,
      `create temporary table mine (id int)`,
      `alter system set work_mem = '1MB'`,
      `copy ${schema(type)}.job to program 'true'`,
      `select pg_read_file('/etc/hostname')`,
    ];
    try {
      expect((await client.query(`select * from ${schema(type)}.job`)).rows).toEqual([]);
      for (const sql of refused) await expect(client.query(sql)).rejects.toThrow(/permission denied/);
    } finally {
      await client.end();
    }
  });

  test("a type's account can be changed and taken away", async () => {
    const queue = openOne();
    const first = await queue.accounts.assert(type, 'one');
    const second = await queue.accounts.assert(type, 'two');
    expect(new URL(second.url).username).toBe(new URL(first.url).username);
    const client = new pg.Client({ connectionString: second.url });
    await client.connect();
    const ended = new Promise((resolve) => client.on('error', resolve));
    await queue.accounts.remove(type);
    await ended;
    await queue.accounts.remove(type);
    const { rows } = await admin.query('select from pg_roles where rolname = $1', [
      decodeURIComponent(new URL(second.url).username),
    ]);
    expect(rows).toEqual([]);
  });
});
