import { setTimeout as sleep } from 'node:timers/promises';
import { Problem, isEnded, type FeApiOperations, type JobId } from '@connecta/contracts';
import { answer, decodeCursor, inputOf, toPage } from '@connecta/runtime';
import {
  findLoggingJob,
  listJobLog,
  type LogPlace,
  type LoggingJob,
  type NumberedLogLine,
  type Store,
} from '@connecta/store';
import { Router, type Request, type Response } from 'express';
import { z } from 'zod';
import { callerOf } from '../access/caller.ts';
import { visibleOrder } from '../orders/order-access.ts';
import { drained } from '../streams/drained.ts';

/** Workers send lines twice a second. */
const POLL_MS = 500;
/** The last lines of an attempt come after its end. */
const LAST_LINES_MS = 3000;
/** Proxies cut connections that are silent for long. */
const HEARTBEAT_MS = 15_000;
const STREAM_LINES = 500;
const START: LogPlace = { attempt: 0, number: 0 };

interface Reading {
  jobId: JobId;
  attempt: number | undefined;
  after: LogPlace;
  find: () => Promise<LoggingJob>;
}

/** What the function of a job logged: a page, or a stream to follow. */
export function jobLogsRouter(parts: { store: Store; stopping: AbortSignal }): Router {
  const router = Router();
  const { store } = parts;
  router.get('/v1/orders/:id/jobs/:jobId/logs', async (req, res) => {
    const { path, query, header } = inputOf<FeApiOperations['listJobLog']>(req);
    const order = await visibleOrder(store, callerOf(req), path.id);
    const jobId = path.jobId as JobId;
    const find = async (): Promise<LoggingJob> => {
      const job = await findLoggingJob(store, order.id, jobId);
      if (!job) throw new Problem('not_found', 'The order has no such job');
      return job;
    };
    await find();
    const { attempt, limit = 100, cursor } = query;
    if (wantsStream(req, query.follow)) {
      const after = header['last-event-id'] === undefined ? START : placeOf(header['last-event-id']);
      await stream(parts, res, { jobId, attempt, after, find }, query.follow ?? true);
      return;
    }
    const after = cursor === undefined ? START : placeOf(decodeCursor(cursor, z.string()));
    const lines = await listJobLog(store, { jobId, attempt, after, limit: limit + 1 });
    const page = toPage(lines, limit, { item: (line) => line, place: idOf });
    answer<FeApiOperations['listJobLog'], 200>(res, 200, page);
  });
  return router;
}

function wantsStream(req: Request, follow: boolean | undefined): boolean {
  return follow === true || req.accepts(['application/json', 'text/event-stream']) === 'text/event-stream';
}

async function stream(
  { store, stopping }: { store: Store; stopping: AbortSignal },
  res: Response,
  { jobId, attempt, after, find }: Reading,
  follow: boolean,
): Promise<void> {
  res.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  const heartbeat = setInterval(() => res.write(':\n\n'), HEARTBEAT_MS);
  try {
    for (let place = after; !res.destroyed && !stopping.aborted;) {
      // The job first: what it had logged by then is there when the lines are read.
      const over = !follow || isOver(await find(), attempt);
      const lines = await listJobLog(store, { jobId, attempt, after: place, limit: STREAM_LINES });
      for (const line of lines) {
        place = line;
        if (!res.write(`id: ${idOf(line)}\nevent: line\ndata: ${JSON.stringify(line)}\n\n`)) await drained(res);
      }
      if (lines.length >= STREAM_LINES) continue;
      if (over) break;
      await sleep(POLL_MS, undefined, { signal: stopping }).catch(() => undefined);
    }
  } finally {
    clearInterval(heartbeat);
    res.end();
  }
}

/** Nothing more will be logged: the job has ended a while ago, or another attempt has it. */
function isOver(job: LoggingJob, attempt: number | undefined): boolean {
  if (attempt !== undefined && job.attempt > attempt) return true;
  const sinceMs = Date.now() - (job.finishedAt?.getTime() ?? 0);
  return isEnded(job.state) && sinceMs > LAST_LINES_MS;
}

function idOf({ attempt, number }: NumberedLogLine): string {
  return `${attempt}.${number}`;
}

function placeOf(id: string): LogPlace {
  const [attempt = 0, number = 0] = id.split('.').map(Number);
  if (Number.isSafeInteger(attempt) && Number.isSafeInteger(number)) return { attempt, number };
  throw new Problem('bad_request', 'The cursor is none of this list');
}
