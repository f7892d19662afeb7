import { Problem, type FeApiOperations, type ScheduleId } from '@connecta/contracts';
import { slotsBetween } from '@connecta/domain';
import type { Intake, ScheduledParts } from '@connecta/intake';
import {
  answer,
  assertRevision,
  continueTrace,
  decodeCursor,
  formatTraceparent,
  inputOf,
  requireIfMatch,
  requireRole,
  setEtag,
  toPage,
} from '@connecta/runtime';
import {
  changeSchedule,
  createSchedule,
  deleteSchedule,
  findSchedule,
  fireManualTick,
  listSchedules,
  listTicks,
  readClock,
  type Schedule,
  type ScheduleChange,
  type Store,
} from '@connecta/store';
import { Router, type Request, type Response } from 'express';
import { z } from 'zod';
import { callerOf, onceOf } from '../access/caller.ts';
import { withStoreProblems } from '../access/store-problems.ts';
import { backfill } from '../schedules/backfill.ts';
import {
  movedSlots,
  nextAtOf,
  orderOf,
  readContent,
  scheduleView,
  slotsOf,
  tickView,
} from '../schedules/schedule-content.ts';

type Operations = FeApiOperations;

export interface SchedulesParts {
  store: Store;
  intake: Intake;
}

/** Schedules: written here, fired by the orchestrator. */
export function schedulesRouter(parts: SchedulesParts): Router {
  const router = Router();
  const { store } = parts;
  const mayRead = requireRole('admin', 'operator', 'viewer');
  const mayWrite = requireRole('admin', 'operator');
  router.get('/v1/schedules', mayRead, async (req, res) => {
    const { limit = 100, cursor } = inputOf<Operations['listSchedules']>(req).query;
    const after = cursor === undefined ? undefined : decodeCursor(cursor, z.string());
    const rows = await listSchedules(store, { after, limit: limit + 1 });
    const page = toPage(rows, limit, { item: scheduleView, place: ({ name }) => name });
    answer<Operations['listSchedules'], 200>(res, 200, page);
  });
  router.post('/v1/schedules', mayWrite, (req, res) => create(parts, req, res));
  router.get('/v1/schedules/:id', mayRead, async (req, res) => send(res, await existing(store, req)));
  router.put('/v1/schedules/:id', mayWrite, (req, res) => replace(parts, req, res));
  router.delete('/v1/schedules/:id', mayWrite, async (req, res) => {
    const expected = requireIfMatch(req);
    const deleted = await deleteSchedule(store, idOf(req), (current) => {
      refuseOwned(current);
      assertRevision(expected, current.revision);
    });
    if (!deleted) throw noSchedule();
    res.status(204).end();
  });
  router.post('/v1/schedules/:id/pause', mayWrite, (req, res) => setPaused(store, { req, res, paused: true }));
  router.post('/v1/schedules/:id/resume', mayWrite, (req, res) => setPaused(store, { req, res, paused: false }));
  router.use(ticksRouter(parts));
  return router;
}

function ticksRouter(parts: SchedulesParts): Router {
  const router = Router();
  const { store } = parts;
  const mayWrite = requireRole('admin', 'operator');
  router.get('/v1/schedules/:id/ticks', requireRole('admin', 'operator', 'viewer'), async (req, res) => {
    const { id: scheduleId } = await existing(store, req);
    const { limit = 100, cursor, state } = inputOf<Operations['listTicks']>(req).query;
    const before = cursor === undefined ? undefined : new Date(decodeCursor(cursor, z.iso.datetime()));
    const rows = await listTicks(store, { scheduleId, before, state, limit: limit + 1 });
    const page = toPage(rows, limit, { item: tickView, place: ({ slot }) => slot.toISOString() });
    answer<Operations['listTicks'], 200>(res, 200, page);
  });
  router.post('/v1/schedules/:id/run-now', mayWrite, async (req, res) => {
    const schedule = await existing(store, req);
    const slot = await readClock(store);
    const order = await orderOf(contentParts(parts), schedule, slot);
    const slots = slotsOf(schedule.times);
    const isSlot = (at: Date): boolean => slotsBetween(slots, at, new Date(at.getTime() + 1), 1).length > 0;
    const fired = await withStoreProblems(
      fireManualTick(
        store,
        schedule.id,
        { slot, order, by: callerOf(req).createdBy, isSlot },
        onceOf(req, `POST /v1/schedules/${schedule.id}/run-now`),
      ),
    );
    if (!fired) throw noSchedule();
    res.setHeader('location', `/v1/orders/${fired.orderId}`);
    answer<Operations['runScheduleNow'], 202>(res, 202, {
      ...{ slot: fired.slot, kind: 'manual', state: 'fired' },
      ...{ orderId: fired.orderId, orderState: 'accepted', at: fired.at },
    });
  });
  router.post('/v1/schedules/:id/backfill', mayWrite, async (req, res) => {
    const schedule = await existing(store, req);
    const { body } = inputOf<Operations['backfillSchedule']>(req);
    const done = await backfill(store, { schedule, body, by: callerOf(req).createdBy });
    answer<Operations['backfillSchedule'], 200>(res, 200, done);
  });
  return router;
}

async function create(parts: SchedulesParts, req: Request, res: Response): Promise<void> {
  const now = await readClock(parts.store);
  const { body } = inputOf<Operations['createSchedule']>(req);
  const { content, slots } = await readContent(contentParts(parts), body, now);
  const caller = callerOf(req);
  const made = { content, nextAt: nextAtOf(slots, now, content.paused), createdBy: caller.createdBy };
  const { schedule, repeated } = await withStoreProblems(
    createSchedule(parts.store, made, onceOf(req, 'POST /v1/schedules')),
  );
  res.setHeader('location', `/v1/schedules/${schedule.id}`);
  send(res, schedule, repeated ? 200 : 201);
}

async function replace(parts: SchedulesParts, req: Request, res: Response): Promise<void> {
  const { store } = parts;
  const expected = requireIfMatch(req);
  const now = await readClock(store);
  // What is not there any more is not worth checking a body for.
  const { times: before } = await existing(store, req);
  const { body } = inputOf<Operations['replaceSchedule']>(req);
  const kept = body.every !== undefined && body.anchor === undefined && 'every' in before ? before.anchor : undefined;
  const { content } = await readContent(contentParts(parts), kept ? { ...body, anchor: kept } : body, now);
  const changed = changeSchedule(store, idOf(req), (current) => {
    refuseOwned(current);
    assertRevision(expected, current.revision);
    return { ...content, ...movedSlots(current, content, now) };
  });
  send(res, await withStoreProblems(changed));
}

async function setPaused(
  store: Store,
  { req, res, paused }: { req: Request; res: Response; paused: boolean },
): Promise<void> {
  const now = await readClock(store);
  const schedule = await existing(store, req);
  if (schedule.paused === paused) {
    send(res, schedule);
    return;
  }
  const change = (current: Schedule): ScheduleChange => ({
    paused,
    ...movedSlots(current, { times: current.times, paused }, now),
  });
  send(res, await changeSchedule(store, schedule.id, change));
}

/** What a worker type has made from its declared tasks is changed by its next registration alone. */
function refuseOwned({ owner }: Schedule): void {
  if (owner === null) return;
  throw new Problem(
    'conflict',
    `The schedule belongs to a declared task of the worker type '${owner}'; pause it instead`,
  );
}

function contentParts({ store, intake }: SchedulesParts): ScheduledParts {
  return { store, intake, newTraceparent: () => formatTraceparent(continueTrace(undefined)) };
}

function idOf(req: Request): ScheduleId {
  return inputOf<Operations['getSchedule']>(req).path.id as ScheduleId;
}

async function existing(store: Store, req: Request): Promise<Schedule> {
  const schedule = await findSchedule(store, idOf(req));
  if (!schedule) throw noSchedule();
  return schedule;
}

function send(res: Response, schedule: Schedule | null, status: 200 | 201 = 200): void {
  if (!schedule) throw noSchedule();
  setEtag(res, schedule.revision);
  answer<Operations['createSchedule'], 200 | 201>(res, status, scheduleView(schedule));
}

function noSchedule(): Problem {
  return new Problem('not_found', 'There is no such schedule');
}
