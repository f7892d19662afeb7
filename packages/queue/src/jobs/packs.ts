import { deliveryId, longId, parseDeliveryId, shortId, type JobId, type JobMessage } from '@connecta/contracts';
import type { PackOptions } from '../options.ts';
import type { Delivery } from '../port.ts';

/**
 * Several deliveries in one BullMQ message. A message costs about 130 µs of Redis and Node whatever is in it, so under
 * a backlog they travel together; each keeps its id, its lease and its report.
 *
 * The message's id spells the ids of its members (`P.<job>~<attempt>.<job>~<attempt>`, jobs in base64url), so that a
 * queue can be listed without reading a body. The same deliveries in the same order make the same id.
 */
export interface Pack {
  pack: { name: string; data: JobMessage }[];
}

/** One BullMQ message: a delivery by itself, or a pack. */
export interface BullMessage {
  name: string;
  data: JobMessage | Pack;
  opts: { jobId: string; attempts: 1; lifo?: true; priority?: number };
}

const MARK = 'P.';
/** Together with the size this keeps packs small against the backlog: 33 deliveries travel in threes, 128 in eights. */
const SHARE = 16;

/** The priority of what says none. */
const USUAL = 5;

/** The messages that carry these deliveries: packs when there are many of the usual priority, else one each. */
export function toMessages(deliveries: readonly Delivery[], options: PackOptions): BullMessage[] {
  const usual = deliveries.filter(({ priority = USUAL }) => priority === USUAL);
  if (usual.length === deliveries.length) return packed(deliveries, options);
  const others = deliveries.filter(({ priority = USUAL }) => priority !== USUAL);
  return [...packed(usual, options), ...inTurn(others)];
}

/**
 * BullMQ takes what has no priority first, in its order, and then what has one, 1 before 2, in theirs. So what goes first
 * is pushed in front of the line: the last one pushed is taken first.
 */
function inTurn(deliveries: readonly Delivery[]): BullMessage[] {
  const priorityOf = ({ priority = USUAL }: Delivery): number => priority;
  const inFront = deliveries
    .filter((delivery) => priorityOf(delivery) > USUAL)
    .toReversed()
    .sort((one, other) => priorityOf(one) - priorityOf(other));
  const behind = deliveries.filter((delivery) => priorityOf(delivery) < USUAL);
  return [
    ...inFront.map((delivery) => withOpts(delivery, { lifo: true })),
    ...behind.map((delivery) => withOpts(delivery, { priority: USUAL - priorityOf(delivery) })),
  ];
}

function withOpts(delivery: Delivery, more: Pick<BullMessage['opts'], 'lifo' | 'priority'>): BullMessage {
  const message = single(delivery);
  return { ...message, opts: { ...message.opts, ...more } };
}

function packed(deliveries: readonly Delivery[], { above, size }: PackOptions): BullMessage[] {
  const packSize = deliveries.length > above ? Math.min(size, Math.ceil(deliveries.length / SHARE)) : 1;
  if (packSize < 2) return deliveries.map(single);
  const messages: BullMessage[] = [];
  const known = deliveries.filter(({ id }) => parseDeliveryId(id));
  for (let at = 0; at < known.length; at += packSize) messages.push(toMessage(known.slice(at, at + packSize)));
  for (const delivery of deliveries) if (!parseDeliveryId(delivery.id)) messages.push(single(delivery));
  return messages;
}

/** One message for these deliveries (at least one). */
export function toMessage(deliveries: readonly Delivery[]): BullMessage {
  const [first] = deliveries;
  if (first && deliveries.length === 1) return single(first);
  const ids = deliveries.map(({ id }) => {
    const parsed = parseDeliveryId(id);
    if (!parsed) throw new TypeError(`not a delivery's id: ${id}`);
    return `${shortId(parsed.jobId)}~${parsed.attempt}`;
  });
  const pack = deliveries.map(({ name, data }) => ({ name, data }));
  return { name: 'pack', data: { pack }, opts: { jobId: MARK + ids.join('.'), attempts: 1 } };
}

function single({ id, name, data }: Delivery): BullMessage {
  return { name, data, opts: { jobId: id, attempts: 1 } };
}

/** True for the id of a message that holds several deliveries. */
export function isPackId(messageId: string): boolean {
  return messageId.startsWith(MARK);
}

/** The ids of the deliveries in a message. */
export function memberIds(messageId: string): string[] {
  if (!isPackId(messageId)) return [messageId];
  return messageId
    .slice(MARK.length)
    .split('.')
    .map((member) => {
      const [short = '', attempt = ''] = member.split('~');
      return deliveryId(longId<JobId>(short), Number(attempt));
    });
}

/** The deliveries in a message. */
export function membersOf(message: { id: string; name: string; data: JobMessage | Pack }): Delivery[] {
  const { id, name, data } = message;
  if (!('pack' in data)) return [{ id, name, data }];
  const ids = memberIds(id);
  return data.pack.map((member, at) => ({ id: ids[at] ?? '', name: member.name, data: member.data }));
}
