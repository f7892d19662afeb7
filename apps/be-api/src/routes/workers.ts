import { Problem, type BeApiOperations, type ProfileId, type WorkerInstanceId } from '@connecta/contracts';
import { DEFAULT_TIMERS } from '@connecta/domain';
import { findBreaks, type Break, type TypeChange } from '@connecta/intake';
import { answer, inputOf, type AllowedHosts } from '@connecta/runtime';
import {
  UnknownWorkerTypeError,
  findCompatibilityMode,
  isToldByRunners,
  leaveWorker,
  TaskCycleError,
  NameTakenError,
  readClock,
  recordHeartbeat,
  registerWorker,
  upsertProfiles,
  type HeldAttempt,
  type Store,
  type ToldProfile,
} from '@connecta/store';
import { Router, type RequestHandler } from 'express';
import { accountOf, assertSpeaksFor } from '../authenticate.ts';
import { checkRegistration, profileFaults, type RegistrationBody } from '../workers/check-registration.ts';
import { declaredOf } from '../workers/declared-tasks.ts';
import type { QueueAccounts } from '../workers/queue-access.ts';
import { whyNot } from '../workers/why-not.ts';

export interface WorkersDeps {
  store: Store;
  accounts: QueueAccounts;
  hosts: AllowedHosts;
  heartbeatMs: number;
}

/** Registration, heartbeats, leaving, and the profiles that a type tells of. */
export function workersRouter(deps: WorkersDeps): Router {
  const router = Router();
  router.post('/v1/workers', register(deps));
  router.post('/v1/workers/:id/heartbeat', hear(deps));
  router.delete('/v1/workers/:id', leave(deps));
  router.put('/v1/worker-types/:type/profiles', tellProfiles(deps));
  return router;
}

function register({ store, accounts, hosts, heartbeatMs }: WorkersDeps): RequestHandler {
  return async (req, res) => {
    const { body } = inputOf<BeApiOperations['registerWorker']>(req);
    assertSpeaksFor(accountOf(req), body.type);
    checkRegistration(body, hosts);
    // Before the row: an instance that cannot be told where its queue is would count as one that takes work.
    const needsQueue = body.role === 'runner' && body.transport === 'bullmq';
    const queue = needsQueue ? await accounts.accessFor(body.type) : undefined;
    const breaks = await breaksOf(store, body);
    await refuseBreaks(store, body.type, breaks);
    const declared = declaredOf(body, accountOf(req), await readClock(store));
    const registered = registerWorker(store, {
      ...body,
      declared,
      labels: body.labels ?? {},
      profiles: body.profiles?.map(toToldProfile),
      heartbeatMs,
    });
    const { workerId, aliases } = await withTaskProblems(registered);
    req.context.log.info(
      { workerType: body.type, role: body.role, instance: body.instance, workerId, version: body.version },
      'a worker registered',
    );
    if (breaks.length > 0) req.context.log.warn({ workerType: body.type, breaks }, 'others are built on what changed');
    answer<BeApiOperations['registerWorker'], 201>(res, 201, {
      workerId,
      heartbeatMs,
      protocolVersion: 1,
      aliases,
      ...(breaks.length > 0 ? { breaks } : {}),
      ...(queue ? { queue } : {}),
    });
  };
}

/** What would break by a registration. A runner changes its type only while no API has told of it. */
async function breaksOf(store: Store, body: RegistrationBody): Promise<Break[]> {
  const { type, functions } = body;
  if (body.role !== 'runner') return findBreaks(store, body as TypeChange);
  return (await isToldByRunners(store, type)) ? findBreaks(store, { type, functions } as TypeChange) : [];
}

/** A type that may not break others is not registered when it would. */
async function refuseBreaks(store: Store, type: string, breaks: readonly Break[]): Promise<void> {
  if (breaks.length === 0 || (await findCompatibilityMode(store, type)) === 'warn') return;
  throw new Problem('incompatible', `The registration would break ${breaks.length} things that are built on ${type}`, {
    extensions: { breaks },
  });
}

async function withTaskProblems<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (cause instanceof TaskCycleError) {
      const fault = { path: '/tasks', message: cause.message, code: 'cycle' };
      throw new Problem('task_cycle', `Declared tasks: ${cause.message}`, {
        faults: [fault],
        extensions: { cycle: cause.path },
        cause,
      });
    }
    if (cause instanceof NameTakenError) {
      throw new Problem('name_taken', `Another schedule has one of the names ${cause.taken}`, { cause });
    }
    throw cause;
  }
}

function hear({ store, accounts }: WorkersDeps): RequestHandler {
  return async (req, res) => {
    const { path, body } = inputOf<BeApiOperations['recordHeartbeat']>(req);
    const { workerType } = accountOf(req);
    const workerId = path.id as WorkerInstanceId;
    const verdict = await recordHeartbeat(store, {
      workerId,
      workerType,
      freeSlots: body.freeSlots,
      draining: body.draining,
      held: body.held as (HeldAttempt & { progress?: number })[],
      completeMs: DEFAULT_TIMERS.completeMs,
      completeCapMs: DEFAULT_TIMERS.completeCapMs,
    });
    if (!verdict) throw await whyNot(store, workerId, workerType);
    accounts.keep(workerType);
    answer<BeApiOperations['recordHeartbeat'], 200>(res, 200, {
      ...(verdict.drain ? { drain: true } : {}),
      cancel: verdict.cancel,
      stale: verdict.stale,
    });
  };
}

function leave({ store }: WorkersDeps): RequestHandler {
  return async (req, res) => {
    const { path } = inputOf<BeApiOperations['leaveWorker']>(req);
    const { workerType } = accountOf(req);
    const workerId = path.id as WorkerInstanceId;
    if (!(await leaveWorker(store, workerId, workerType))) throw await whyNot(store, workerId, workerType);
    req.context.log.info({ workerType, workerId }, 'a worker left');
    res.status(204).end();
  };
}

function tellProfiles({ store }: WorkersDeps): RequestHandler {
  return async (req, res) => {
    const { path, body } = inputOf<BeApiOperations['tellProfiles']>(req);
    assertSpeaksFor(accountOf(req), path.type);
    const faults = profileFaults(body.profiles);
    if (faults.length > 0) throw new Problem('bad_request', 'The profiles are not valid', { faults });
    try {
      const written = await upsertProfiles(store, path.type, body.profiles.map(toToldProfile));
      answer<BeApiOperations['tellProfiles'], 200>(res, 200, written);
    } catch (error) {
      if (!(error instanceof UnknownWorkerTypeError)) throw error;
      throw new Problem('not_found', `No worker of the type ${path.type} has registered`, { cause: error });
    }
  };
}

function toToldProfile(profile: NonNullable<RegistrationBody['profiles']>[number]): ToldProfile {
  return { ...profile, id: profile.id as ProfileId };
}
