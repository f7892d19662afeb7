import type { JsonValue } from '@connecta/contracts';
import type { NotificationChannel, EndedOrder, NewDelivery, Notice, Owner } from '@connecta/store';

type Body = { [name: string]: JsonValue };

/** The call that tells the end of an order to whoever placed it (Standard Webhooks: type, timestamp, data). */
export function orderEnded(order: EndedOrder): NewDelivery {
  const { id, clientId, clientName, state, epoch, result, error } = order;
  const body: Body = {
    type: `order.${state}`,
    timestamp: order.finishedAt.toISOString(),
    data: {
      ...{ orderId: id, client: clientName, state, epoch },
      ...(state === 'completed' ? { result } : {}),
      ...(error ? { error: { ...error } } : {}),
      createdAt: order.createdAt.toISOString(),
      finishedAt: order.finishedAt.toISOString(),
    },
  };
  return {
    ...{ kind: 'webhook', target: order.webhook, team: null, channelId: null, clientId, orderId: id, body },
    signedAs: `client:${clientId}:${order.webhookGeneration}`,
  };
}

/**
 * A notice as messages to its team: to each channel that is on; to the contact that the team registered when it has no
 * channel at all and the contact is a mail address.
 */
export function noticeMessages(
  notice: Notice,
  { channels, owners }: { channels: readonly NotificationChannel[]; owners: readonly Owner[] },
): { delivery: NewDelivery; digestMs: number }[] {
  const own = channels.filter(({ team }) => team === notice.team);
  if (own.length === 0) return contactsOf(notice.team, owners).map((contact) => toContact(notice, contact));
  return own.filter(({ enabled }) => enabled).map((channel) => toChannel(notice, channel));
}

/** How many times something was seen that nobody was told of yet. */
const untold = ({ count, toldCount }: Notice): number => count - toldCount;

function toChannel(notice: Notice, { id, kind, target, team, digestMs, generation }: NotificationChannel) {
  const head = { kind, target, team, channelId: id, clientId: null, orderId: null };
  const delivery: NewDelivery = {
    ...head,
    signedAs: `channel:${id}:${generation}`,
    body: bodyOf(notice, digestMs > 0),
  };
  return { delivery, digestMs };
}

function toContact(notice: Notice, target: string): { delivery: NewDelivery; digestMs: number } {
  const head = { kind: 'mail' as const, target, team: notice.team, channelId: null, clientId: null, orderId: null };
  return { delivery: { ...head, signedAs: 'contact', body: bodyOf(notice, false) }, digestMs: 0 };
}

function bodyOf(notice: Notice, digest: boolean): Body {
  const news: Body = {
    ...{ noticeId: notice.id, team: notice.team, kind: notice.kind, count: untold(notice), total: notice.count },
    ...{ firstAt: notice.firstAt.toISOString(), lastAt: notice.lastAt.toISOString(), subject: notice.subject },
  };
  const timestamp = notice.lastAt.toISOString();
  if (digest) return { type: 'notice.digest', timestamp, data: { team: notice.team, notices: [news] } };
  return { type: `notice.${notice.kind}`, timestamp, data: news };
}

const ADDRESS = /^[^\s@<>,;]{1,64}@[^\s@<>,;]{1,190}$/;

/** Registered contacts of a team that are mail addresses. */
function contactsOf(team: string, owners: readonly Owner[]): string[] {
  const contacts = owners.filter((owner) => owner.team === team).map(({ contact }) => contact);
  return [...new Set(contacts)].filter((contact) => ADDRESS.test(contact));
}

/** A message as a mail. */
export function mailOf(body: Body): { subject: string; text: string } {
  const data = body['data'] as Body;
  const notices = body['type'] === 'notice.digest' ? (data['notices'] as Body[]) : [data];
  const lines = notices.map(lineOf);
  const subject = notices.length === 1 ? (lines[0]?.[0] ?? '') : `${notices.length} notices for ${text(data['team'])}`;
  return { subject: `[Connecta] ${subject}`.slice(0, 200), text: lines.map((part) => part.join('\n')).join('\n\n') };
}

/** What happened in one line, then the facts. */
function lineOf(notice: Body): string[] {
  const subject = (notice['subject'] ?? {}) as Body;
  const times = Number(notice['count']) > 1 ? ` (${text(notice['count'])} times)` : '';
  const error = (subject['error'] ?? {}) as Body;
  const orders = (subject['orders'] ?? []) as Body[];
  const seen = orders.map(
    (order) => `  order ${text(order['orderId'])}, step '${text(order['step'])}', client ${text(order['client'])}`,
  );
  switch (notice['kind'] as Notice['kind']) {
    case 'job_failed':
      return [
        `${text(subject['task'])} failed: ${text(error['code'])}${times}`,
        `  ${text(error['message'])}`,
        ...seen,
      ];
    case 'blocked': {
      const owner = subject['owner'] === undefined ? '' : ` of team ${text(subject['owner'])}`;
      return [
        `${text(subject['task'])}${owner} failed; your tasks behind it do not run${times}`,
        `  ${(subject['blocked'] as string[]).join(', ')}`,
        `  ${text(error['code'])}: ${text(error['message'])}`,
        ...seen,
      ];
    }
    case 'offline':
      return [
        `${text(subject['workerType'])} has no live worker`,
        `  ${text(subject['jobs'])} jobs wait since ${text(subject['since'])}`,
      ];
    case 'channel_disabled':
      return [`a channel was switched off: ${text(subject['target'])}`, `  ${text(subject['reason'])}`];
  }
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value).replace(/[\r\n]+/g, ' ') : '?';
}
