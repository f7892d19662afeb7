import { newId, type JsonValue, type ProfileId } from '@connecta/contracts';
import { testServices } from '@connecta/embedded';
import { AllowedHosts, silentLogger } from '@connecta/runtime';
import { listDeliveries, openStore, type Delivery, type Store } from '@connecta/store';
import { Notifier, type NotifierOptions } from '../src/notify/notifier.ts';
import { WebhookSender } from '../src/notify/send-webhook.ts';

/** What the secrets of webhooks are derived from here. */
export const webhookKey = Buffer.alloc(32, 3).toString('base64url');
/** Why a job of `failedOrder` ended. */
export const failure = { kind: 'permanent', code: 'no_disk', message: 'the disk is full' };

/** A database in which team `makers` owns type `maker`, team `painters` type `painter`, and orders run make → paint. */
export interface NotifyWorld {
  store: Store;
  clientId: string;
  endedOrder(data?: { webhook?: string; state?: string; result?: JsonValue }): Promise<string>;
  /** An order whose first step ended in error. */
  failedOrder(error?: object): Promise<string>;
  deliveries(): Promise<Delivery[]>;
  /** Makes every message that waits due now. */
  comesDue(): Promise<unknown>;
  /** A notifier of one replica. */
  notifier(options?: Partial<NotifierOptions> & { hosts?: string[] }): {
    /** Turns until nothing is due, each with its messages sent. */
    turn: () => Promise<void>;
    close: () => void;
  };
  /** Forgets all that was told. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

export async function openNotifyWorld(): Promise<NotifyWorld> {
  const services = await testServices();
  const store = openStore({ databaseUrl: await services.databaseUrl('notify'), applicationName: 'notify' });
  const clientId = newId();
  await store.prisma.client.create({ data: { id: clientId, name: 'tester' } });
  await addOwner(store, 'maker', 'makers');
  await addOwner(store, 'painter', 'painters');
  const planId = await addPlan(store);
  const endedOrder: NotifyWorld['endedOrder'] = async ({ webhook = null, state = 'completed', result = 0 } = {}) => {
    const row = { id: newId(), clientId, planId, state, input: 1, webhook, createdBy: 'test', traceparent: 't' };
    await store.prisma.order.create({ data: { ...row, result: result ?? 0, finishedAt: new Date() } });
    return row.id;
  };
  return {
    ...{ store, clientId, endedOrder },
    async failedOrder(error = failure) {
      const orderId = await endedOrder({ state: 'failed' });
      const progress = { make: 'error', paint: 'blocked' };
      await store.prisma.order.update({ where: { id: orderId }, data: { progress } });
      const job = { id: newId(), orderId, step: 'make', workerType: 'maker', function: 'x', profileId: newId() };
      const data = { ...job, profileRevision: 1, state: 'error', attempt: 1, input: 1, error };
      await store.prisma.job.create({ data });
      return orderId;
    },
    deliveries: () => listDeliveries(store, { before: undefined, limit: 100 }),
    comesDue: () => store.prisma.delivery.updateMany({ where: { state: 'due' }, data: { nextAt: new Date(0) } }),
    notifier({ hosts = ['127.0.0.1'], ...more } = {}) {
      const webhooks = new WebhookSender({ key: webhookKey, hosts: new AllowedHosts(hosts), timeoutMs: 500 });
      const parts = { store, log: silentLogger(), webhooks, mails: undefined, random: () => 0 };
      const notifier = new Notifier({ ...parts, ...more });
      const turn = async (): Promise<void> => {
        while (await notifier.tick());
        await notifier.settled();
      };
      return { turn, close: () => webhooks.close() };
    },
    async reset() {
      await store.prisma.delivery.deleteMany();
      await store.prisma.notice.deleteMany();
      await store.prisma.notificationChannel.deleteMany();
    },
    async close() {
      await store.close();
      await services.close();
    },
  };
}

async function addOwner(store: Store, name: string, team: string): Promise<void> {
  const registered = { version: '1', language: 'ts', apiUrl: 'http://127.0.0.1', transport: 'bullmq', functions: [] };
  const ownerContact = `${team}@example.org`;
  await store.prisma.workerType.create({ data: { name, ...registered, ownerTeam: team, ownerContact } });
}

async function addPlan(store: Store): Promise<string> {
  const version = newId();
  await store.prisma.workflowVersion.create({ data: { id: version, hash: version, definition: {} } });
  const step = (workerType: string, needs: string[]): object => ({
    ...{ kind: 'task', uses: `${workerType}/x`, workerType, function: 'x', profileId: newId<ProfileId>() },
    ...{ profileRevision: 1, needs },
  });
  const steps = { steps: { make: step('maker', []), paint: step('painter', ['make']) }, outputs: ['paint'] };
  const plan = { id: newId(), hash: version, workflowVersionId: version, steps };
  return (await store.prisma.plan.create({ data: plan })).id;
}
