import { Problem, type ClientId, type Fault, type FeApiOperations } from '@connecta/contracts';
import {
  answer,
  assertRevision,
  decodeCursor,
  inputOf,
  requireIfMatch,
  requireRole,
  setEtag,
  toPage,
  webhookSecret,
  type OperationAnswer,
} from '@connecta/runtime';
import {
  createChannel,
  deleteChannel,
  findChannel,
  findClientId,
  findDelivery,
  findWebhookGeneration,
  listChannels,
  listDeliveries,
  listNotices,
  redeliver,
  replaceChannel,
  rotateWebhookSecret,
  type Delivery,
  type Notice,
  type NotificationChannel,
  type NotificationChannelContent,
  type Store,
} from '@connecta/store';
import { Router, type Request, type Response } from 'express';
import { z } from 'zod';
import { callerOf, onceOf } from '../access/caller.ts';
import { withStoreProblems } from '../access/store-problems.ts';

type Operations = FeApiOperations;
type ChannelView = OperationAnswer<Operations['getNotificationChannel'], 200>;
type NoticeView = OperationAnswer<Operations['listNotices'], 200>['items'][number];
type DeliveryView = OperationAnswer<Operations['redeliver'], 202>;

export interface NotificationParts {
  store: Store;
  /** Base64url: the secrets of webhooks are derived from it. */
  webhookKey: string;
}

/** Who is told of what, and what became of each message. */
export function notificationsRouter(parts: NotificationParts): Router {
  const { store } = parts;
  const router = Router();
  addSecrets(router, parts);
  addChannels(router, parts);
  const mayRead = requireRole('admin', 'operator', 'viewer');
  router.get('/v1/notices', mayRead, async (req, res) => {
    const { team, limit = 100, cursor } = inputOf<Operations['listNotices']>(req).query;
    const before = cursor === undefined ? undefined : decodeCursor(cursor, z.uuid());
    const rows = await listNotices(store, { team, before, limit: limit + 1 });
    answer<Operations['listNotices'], 200>(res, 200, toPage(rows, limit, { item: noticeView, place: ({ id }) => id }));
  });
  router.get('/v1/deliveries', async (req, res) => {
    const { team, order: orderId, state, limit = 100, cursor } = inputOf<Operations['listDeliveries']>(req).query;
    const before = cursor === undefined ? undefined : decodeCursor(cursor, z.uuid());
    const clientId = callerOf(req).clientId ?? undefined;
    const rows = await listDeliveries(store, { team, orderId, clientId, state, before, limit: limit + 1 });
    const page = toPage(rows, limit, { item: deliveryView, place: ({ id }) => id });
    answer<Operations['listDeliveries'], 200>(res, 200, page);
  });
  router.post('/v1/deliveries/:id/redeliver', requireRole('admin', 'operator'), async (req, res) => {
    const { id } = inputOf<Operations['redeliver']>(req).path;
    const again = await redeliver(store, id);
    const found = await findDelivery(store, id);
    if (!found) throw new Problem('not_found', 'There is no such delivery');
    if (!again) throw new Problem('conflict', 'The delivery is still on its way');
    answer<Operations['redeliver'], 202>(res, 202, deliveryView(found));
  });
  return router;
}

function addSecrets(router: Router, { store, webhookKey }: NotificationParts): void {
  const send = (res: Response, clientId: ClientId, generation: number | null): void => {
    if (generation === null) throw noClient();
    const secret = webhookSecret(webhookKey, `client:${clientId}:${generation}`);
    res.setHeader('cache-control', 'no-store');
    answer<Operations['getWebhookSecret'], 200>(res, 200, { secret, generation });
  };
  router.get('/v1/clients/:client/webhook-secret', async (req, res) => {
    const id = await ownClient(store, req);
    send(res, id, await findWebhookGeneration(store, id));
  });
  router.post('/v1/clients/:client/webhook-secret', async (req, res) => {
    const id = await ownClient(store, req);
    send(res, id, await rotateWebhookSecret(store, id));
  });
  const mayWrite = requireRole('admin', 'operator');
  const sendOf = (res: Response, channel: NotificationChannel | null): void => {
    if (!channel) throw noChannel();
    if (channel.kind !== 'webhook') throw new Problem('conflict', 'Only a webhook has a secret');
    const secret = webhookSecret(webhookKey, `channel:${channel.id}:${channel.generation}`);
    res.setHeader('cache-control', 'no-store');
    answer<Operations['getChannelSecret'], 200>(res, 200, { secret, generation: channel.generation });
  };
  router.get('/v1/notification-channels/:id/secret', mayWrite, async (req, res) => {
    sendOf(res, await findChannel(store, inputOf<Operations['getChannelSecret']>(req).path.id));
  });
  router.post('/v1/notification-channels/:id/secret', mayWrite, async (req, res) => {
    const { id } = inputOf<Operations['rotateChannelSecret']>(req).path;
    sendOf(res, await replaceChannel(store, { id, content: {}, rotate: true, check: () => undefined }));
  });
}

function addChannels(router: Router, { store }: NotificationParts): void {
  const mayRead = requireRole('admin', 'operator', 'viewer');
  const mayWrite = requireRole('admin', 'operator');
  router.get('/v1/notification-channels', mayRead, async (req, res) => {
    const { team, limit = 100, cursor } = inputOf<Operations['listNotificationChannels']>(req).query;
    const after = cursor === undefined ? undefined : decodeCursor(cursor, z.uuid());
    const rows = await listChannels(store, { team, after, limit: limit + 1 });
    const page = toPage(rows, limit, { item: channelView, place: ({ id }) => id });
    answer<Operations['listNotificationChannels'], 200>(res, 200, page);
  });
  router.post('/v1/notification-channels', mayWrite, async (req, res) => {
    const content = contentOf(inputOf<Operations['createNotificationChannel']>(req).body);
    const { channel, repeated } = await withStoreProblems(
      createChannel(store, content, onceOf(req, 'POST /v1/notification-channels')),
    );
    res.setHeader('location', `/v1/notification-channels/${channel.id}`);
    send(res, channel, repeated ? 200 : 201);
  });
  router.get('/v1/notification-channels/:id', mayRead, async (req, res) => {
    send(res, await findChannel(store, inputOf<Operations['getNotificationChannel']>(req).path.id));
  });
  router.put('/v1/notification-channels/:id', mayWrite, async (req, res) => {
    const expected = requireIfMatch(req);
    const { path, body } = inputOf<Operations['replaceNotificationChannel']>(req);
    const check = (revision: number): void => assertRevision(expected, revision);
    send(res, await withStoreProblems(replaceChannel(store, { id: path.id, content: contentOf(body), check })));
  });
  router.delete('/v1/notification-channels/:id', mayWrite, async (req, res) => {
    const expected = requireIfMatch(req);
    const { id } = inputOf<Operations['deleteNotificationChannel']>(req).path;
    if (!(await deleteChannel(store, id, (revision) => assertRevision(expected, revision)))) throw noChannel();
    res.status(204).end();
  });
}

const ADDRESS = /^[^\s@<>,;]{1,64}@[^\s@<>,;]{1,190}$/;

interface ChannelBody {
  team: string;
  kind: 'webhook' | 'mail';
  target: string;
  digestMs?: number | undefined;
  enabled?: boolean | undefined;
}

/** @throws Problem invalid_input */
function contentOf({ team, kind, target, digestMs = 0, enabled = true }: ChannelBody): NotificationChannelContent {
  const fault = kind === 'mail' ? faultOfAddress(target) : faultOfUrl(target);
  if (fault) throw new Problem('invalid_input', 'The channel cannot be used', { faults: [fault] });
  return { team, kind, target, digestMs, enabled };
}

function faultOfAddress(target: string): Fault | undefined {
  return ADDRESS.test(target) ? undefined : { path: '/target', message: 'must be a mail address' };
}

function faultOfUrl(target: string): Fault | undefined {
  const url = URL.canParse(target) ? new URL(target) : undefined;
  const usable = url && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
  return usable ? undefined : { path: '/target', message: 'must be an http or https URL without credentials' };
}

/** The client of the path, when the caller may speak for it. */
async function ownClient(store: Store, req: Request): Promise<ClientId> {
  const caller = callerOf(req);
  const id = await findClientId(store, inputOf<Operations['getWebhookSecret']>(req).path.client);
  if (!id || (caller.clientId !== null && caller.clientId !== id)) throw noClient();
  if (caller.role === 'viewer') throw new Problem('forbidden', 'The role viewer does not see secrets');
  return id;
}

function send(res: Response, channel: NotificationChannel | null, status: 200 | 201 = 200): void {
  if (!channel) throw noChannel();
  setEtag(res, channel.revision);
  answer<Operations['createNotificationChannel'], 200 | 201>(res, status, channelView(channel));
}

function channelView(channel: NotificationChannel): ChannelView {
  return { ...channel, createdAt: channel.createdAt.toISOString(), updatedAt: channel.updatedAt.toISOString() };
}

function noticeView({ dedupKey: _, ...notice }: Notice): NoticeView {
  return {
    ...notice,
    firstAt: notice.firstAt.toISOString(),
    lastAt: notice.lastAt.toISOString(),
    toldAt: notice.toldAt?.toISOString() ?? null,
  };
}

function deliveryView(delivery: Delivery): DeliveryView {
  const { id, kind, target, team, orderId, state, attempts, lastStatus, lastError, body } = delivery;
  return {
    ...{ id, kind, target, team, orderId, state, attempts, lastStatus, lastError, body },
    nextAt: state === 'due' ? delivery.nextAt.toISOString() : null,
    createdAt: delivery.createdAt.toISOString(),
    endedAt: delivery.endedAt?.toISOString() ?? null,
  };
}

function noClient(): Problem {
  return new Problem('not_found', 'There is no such client');
}

function noChannel(): Problem {
  return new Problem('not_found', 'There is no such channel');
}
