import { randomBytes, randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import {
  newId,
  parseDeliveryId,
  type ClientId,
  type HistoryEvent,
  type JobError,
  type JsonValue,
  type NewItems,
  type OrderId,
  type PlanId,
  type ProfileId,
  type WorkflowVersionId,
} from '@connecta/contracts';
import type { Plan, TaskStep, Timers } from '@connecta/domain';
import { openBlobs } from '@connecta/blobs';
import { testServices, type TestServices } from '@connecta/embedded';
import { openQueue, type Consumer, type Delivery, type QueueBackend } from '@connecta/queue';
import { Metrics, createLogger } from '@connecta/runtime';
import { openStore, type Store } from '@connecta/store';
import { ENGINE_DEFAULTS } from '../src/engine/defaults.ts';
import type { EngineParts } from '../src/engine/drafts.ts';
import { LeftOrders } from '../src/engine/left-orders.ts';
import { Doubts } from '../src/engine/outcome.ts';
import { PlanCache } from '../src/engine/plan-cache.ts';
import { Orchestrator } from '../src/orchestrator.ts';

/** What a scripted worker does with one delivery. */
export type Script = (delivery: Delivery) => Promise<{ value: JsonValue; newItems?: NewItems } | { error: JobError }>;

/** How one replica differs from the others. */
export interface ReplicaOptions {
  name?: string;
  /** Another way to the same database or queue, for instance through a proxy. */
  databaseUrl?: string;
  queueUrl?: string;
  queue?: QueueBackend;
  timers?: Timers;
}

const onError = (): void => {};

/** One engine with real stores: plans and orders are put into the database, scripted workers take the jobs. */
export class Harness {
  readonly store: Store;
  readonly queue: QueueBackend;
  readonly clientId = newId<ClientId>();
  readonly leaseKey = randomBytes(32).toString('base64url');
  /** Of this harness's blobs. */
  readonly container = `orchestrator-${randomUUID()}`;
  readonly databaseUrl: string;
  readonly queueUrl: string;
  readonly services: TestServices;
  readonly #open: (() => Promise<unknown>)[] = [];

  private constructor(services: TestServices, databaseUrl: string, queueUrl: string, queue: QueueBackend) {
    this.services = services;
    this.databaseUrl = databaseUrl;
    this.queueUrl = queueUrl;
    this.store = openStore({ databaseUrl, applicationName: 'orchestrator-test', onError });
    this.queue = queue;
  }

  /** The queue on Redis, where there is one, unless a backend is named. */
  static async start(backend?: 'redis' | 'postgres'): Promise<Harness> {
    const services = await testServices();
    const kind = backend ?? services.queueBackends[0] ?? 'postgres';
    const databaseUrl = await services.databaseUrl('orchestrator');
    const url = kind === 'redis' ? (services.redisUrl ?? '') : await services.queueDatabaseUrl();
    const queue = openQueue({ kind, url, prefix: services.redisPrefix, onError });
    await queue.check();
    const harness = new Harness(services, databaseUrl, url, queue);
    await harness.store.prisma.client.create({ data: { id: harness.clientId, name: 'tester' } });
    return harness;
  }

  /** One replica; started, and stopped with the harness. */
  async orchestrator(options: ReplicaOptions = {}): Promise<Orchestrator> {
    const { name = randomUUID(), databaseUrl = this.databaseUrl, timers } = options;
    const orchestrator = new Orchestrator({
      store: options.databaseUrl === undefined ? this.store : this.#ownStore(options.databaseUrl),
      queue: options.queue ?? (options.queueUrl === undefined ? this.queue : this.openQueue({ url: options.queueUrl })),
      databaseUrl,
      leaseKey: this.leaseKey,
      name,
      log: createLogger({ name: 'orchestrator', level: 'fatal' }),
      metrics: new Metrics({ name }),
      openBlobs: () => openBlobs({ connectionString: this.services.blobConnectionString, container: this.container }),
      ...(timers ? { timers } : {}),
    });
    this.#open.push(() => orchestrator.stop());
    await orchestrator.start();
    return orchestrator;
  }

  /** A further way to the same queue, closed with the harness. */
  openQueue(options: { url?: string; claimIdleMs?: number } = {}): QueueBackend {
    const { url = this.queueUrl, ...more } = options;
    const queue = openQueue({ kind: this.queue.kind, url, prefix: this.services.redisPrefix, onError, ...more });
    this.#open.push(() => queue.close());
    return queue;
  }

  /** What a stage of another replica works with. */
  parts(): EngineParts {
    const store = this.#ownStore(this.databaseUrl);
    return {
      store,
      plans: new PlanCache(store),
      doubts: new Doubts(() => {}),
      left: new LeftOrders(),
      defaults: ENGINE_DEFAULTS,
    };
  }

  /** Ended with the harness, after what was made before it. */
  onClose(close: () => Promise<unknown>): void {
    this.#open.push(close);
  }

  #ownStore(databaseUrl: string): Store {
    const store = openStore({ databaseUrl, applicationName: 'orchestrator-test', onError });
    this.#open.push(() => store.close());
    return store;
  }

  /** Makes a worker type known, as its registration would. */
  async workerType(name: string): Promise<void> {
    const registered = { version: '1', language: 'ts', apiUrl: 'http://127.0.0.1', transport: 'bullmq' };
    await this.store.prisma.workerType.create({
      data: { name, ...registered, ownerTeam: 't', ownerContact: 'c', functions: [] },
    });
  }

  /** A live worker of a type that does what `script` says. */
  worker(workerType: string, script: Script, slots = 20): Consumer {
    const instance = `scripted-${randomUUID()}`;
    const consumer = this.queue.jobs.consume(workerType, {
      instance,
      slots,
      handle: async (delivery) => {
        const { jobId, attempt } = parseDeliveryId(delivery.id) as NonNullable<ReturnType<typeof parseDeliveryId>>;
        const head = { jobId, attempt, lease: delivery.data.lease, instance, at: new Date().toISOString() };
        const outcome = await script(delivery);
        await this.queue.events.publish(workerType, [
          'value' in outcome ? { ...head, type: 'completed', ...outcome } : { ...head, type: 'failed', ...outcome },
        ]);
      },
    });
    this.#open.push(() => consumer.close(1000));
    return consumer;
  }

  async plan(plan: Plan): Promise<PlanId> {
    const [id] = await this.planAll([plan]);
    return id as PlanId;
  }

  async planAll(plans: readonly Plan[]): Promise<PlanId[]> {
    const rows = plans.map((plan) => ({ id: newId<PlanId>(), versionId: newId<WorkflowVersionId>(), plan }));
    await this.store.prisma.workflowVersion.createMany({
      data: rows.map(({ id, versionId }) => ({ id: versionId, hash: id, definition: {} })),
    });
    await this.store.prisma.plan.createMany({
      data: rows.map(({ id, versionId, plan }) => ({
        ...{ id, hash: id, workflowVersionId: versionId },
        steps: JSON.parse(JSON.stringify(plan)) as object,
      })),
    });
    return rows.map(({ id }) => id);
  }

  /** Accepts orders, as the intake does. */
  async accept(orders: readonly { planId: PlanId; input: JsonValue }[]): Promise<OrderId[]> {
    const rows = orders.map(({ planId, input }) => ({ id: newId<OrderId>(), planId, input: { wrapped: input } }));
    await this.store.pool.query(
      `INSERT INTO orders (id, client_id, plan_id, input, created_by, traceparent)
       SELECT x.id, $2, x."planId", coalesce(x.input->'wrapped', 'null'), 'test', '00-${'a'.repeat(32)}-${'b'.repeat(16)}-01'
       FROM json_to_recordset($1::json) x(id uuid, "planId" uuid, input jsonb)`,
      [JSON.stringify(rows), this.clientId],
    );
    await this.store.pool.query(`SELECT pg_notify('connecta_intake', '')`);
    return rows.map((row) => row.id);
  }

  /** Waits until all orders have ended. */
  async ended(ids: readonly OrderId[], withinMs = 60_000): Promise<void> {
    for (const until = Date.now() + withinMs; ;) {
      const { rows } = await this.store.pool.query<{ open: number }>(
        `SELECT count(*)::int AS open FROM orders WHERE id = ANY($1::uuid[]) AND state IN ('accepted', 'active')`,
        [ids],
      );
      if (rows[0]?.open === 0) return;
      if (Date.now() > until) throw new Error(`${rows[0]?.open} orders are still open`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async history(orderId: OrderId): Promise<HistoryEvent[]> {
    return (await this.histories([orderId])).get(orderId) ?? [];
  }

  async histories(ids: readonly OrderId[]): Promise<Map<OrderId, HistoryEvent[]>> {
    const rows = await this.store.prisma.orderEvents.findMany({
      where: { orderId: { in: [...ids] } },
      orderBy: [{ orderId: 'asc' }, { seq: 'asc' }],
    });
    const histories = new Map<OrderId, HistoryEvent[]>(ids.map((id) => [id, []]));
    for (const row of rows) {
      const events = histories.get(row.orderId as OrderId) as HistoryEvent[];
      expect(row.seq).toBe(events.length + 1);
      events.push(...(row.events as unknown as HistoryEvent[]));
    }
    return histories;
  }

  async close(): Promise<void> {
    for (const close of this.#open.reverse()) await close();
    await this.queue.close();
    await this.store.close();
    await this.services.close();
  }
}

/** A step of a plan for scripted workers of type `scripted`. */
export function scriptedStep(needs: string[], params: { [name: string]: JsonValue } = {}): TaskStep {
  const profile = { profileId: newId<ProfileId>(), profileRevision: 1 };
  return { kind: 'task', uses: 'scripted/x', workerType: 'scripted', function: 'x', ...profile, needs, params };
}
