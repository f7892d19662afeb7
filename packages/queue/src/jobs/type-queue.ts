import { Queue, type BackendFactory, type IQueueBackend, type QueueOptions } from 'bullmq';
import type { JobMessage } from '@connecta/contracts';
import type { BullMessage, Pack } from './packs.ts';

type Body = JobMessage | Pack;

/** BullMQ's own event stream, which nobody reads here: kept as short as it can be. */
const BULLMQ_EVENTS = 10;

/** The producing side of one worker type's BullMQ queue. */
export class TypeQueue extends Queue<Body, unknown, string, Body, unknown, string, IQueueBackend> {
  constructor(
    name: string,
    options: QueueOptions,
    onError: (error: unknown) => void,
    backend: BackendFactory<IQueueBackend>,
  ) {
    super(name, { ...options, streams: { events: { maxLen: BULLMQ_EVENTS } } }, backend);
    this.on('error', onError);
  }

  async addMessages(messages: readonly BullMessage[]): Promise<void> {
    await this.addBulk([...messages]);
  }

  /** Ids of all messages, those that wait and those that are taken. */
  async messageIds(): Promise<{ waiting: string[]; active: string[] }> {
    const ranges: string[][] = await this.getBackend().getRanges(['waiting', 'prioritized', 'active'], 0, -1);
    const [waiting = [], prioritized = [], active = []] = ranges;
    return { waiting: prioritized.length > 0 ? [...new Set([...waiting, ...prioritized])] : waiting, active };
  }

  /** How many messages there are at least: zeros mean that there are none. */
  async messageCounts(): Promise<{ waiting: number; active: number }> {
    const counts = await this.getBackend().getCounts(['waiting', 'prioritized', 'active']);
    const [waiting = 0, prioritized = 0, active = 0] = counts;
    return { waiting: waiting + prioritized, active };
  }

  /** A message's body, undefined when there is no such message. */
  async bodyOf(messageId: string): Promise<string | undefined> {
    return (await this.getBackend().getJobData(messageId))?.data;
  }

  /** Takes a message away unless it is locked. */
  async removeMessage(messageId: string): Promise<void> {
    await this.getBackend().remove(messageId, false);
  }

  /** Settings that BullMQ writes once and loses when the store is emptied. */
  async writeSettings(): Promise<void> {
    await this.getBackend().setQueueMeta({
      'opts.maxLenEvents': BULLMQ_EVENTS,
      version: this.metaValues.version ?? '',
    });
  }
}
