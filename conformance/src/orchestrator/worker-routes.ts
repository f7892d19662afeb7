import { Problem, newId, type BeApiOperations } from '@connecta/contracts';
import { answer, inputOf } from '@connecta/runtime';
import { Router } from 'express';
import type { FakeBeApi, Presence } from './fake-be-api.ts';

/** Registration, heartbeats, leaving, profiles. */
export function workerRoutes(fake: FakeBeApi): Router {
  const router = Router();

  router.post('/v1/workers', async (req, res) => {
    const { body } = inputOf<BeApiOperations['registerWorker']>(req);
    for (const presence of fake.presences) {
      if (presence.registration.instance === body.instance) presence.gone = true;
    }
    const needsQueue = body.slots > 0 && body.transport === 'bullmq';
    const queue = needsQueue ? await fake.desk?.placeOf(body.type) : undefined;
    const workerId = newId();
    fake.presences.push({ workerId, registration: body, gone: false });
    for (const profile of body.profiles ?? []) fake.profiles.set(profile.id, profile);
    answer<BeApiOperations['registerWorker'], 201>(res, 201, {
      workerId,
      heartbeatMs: fake.heartbeatMs,
      protocolVersion: 1,
      aliases: [],
      ...(queue ? { queue } : {}),
    });
  });

  router.post('/v1/workers/:id/heartbeat', (req, res) => {
    const { path, body } = inputOf<BeApiOperations['recordHeartbeat']>(req);
    const { registration } = present(fake, path.id);
    fake.heartbeats.push({ atMs: Date.now(), workerId: path.id, held: body.held });
    const drain = fake.drain && registration.slots > 0;
    if (drain) fake.drainToldAtMs ??= Date.now();
    const told = (verdict: string): { jobId: string; attempt: number }[] =>
      body.held
        .filter(({ jobId }) => fake.find(jobId)?.verdict === verdict)
        .map(({ jobId, attempt }) => ({ jobId, attempt }));
    answer<BeApiOperations['recordHeartbeat'], 200>(res, 200, {
      ...(drain ? { drain: true } : {}),
      cancel: told('cancel'),
      stale: told('stale'),
    });
  });

  router.delete('/v1/workers/:id', (req, res) => {
    const { path } = inputOf<BeApiOperations['leaveWorker']>(req);
    const found = fake.presences.find(({ workerId }) => workerId === path.id);
    if (!found) throw new Problem('not_found', 'No worker has this id');
    found.gone = true;
    res.status(204).end();
  });

  router.put('/v1/worker-types/:type/profiles', (req, res) => {
    const { body } = inputOf<BeApiOperations['tellProfiles']>(req);
    for (const profile of body.profiles) {
      const known = fake.profiles.get(profile.id);
      if (!known || known.revision <= profile.revision) fake.profiles.set(profile.id, profile);
    }
    answer<BeApiOperations['tellProfiles'], 200>(res, 200, { written: body.profiles.length, passedOver: 0 });
  });
  return router;
}

/** The presence of this id. @throws Problem not_found, gone */
export function present(fake: FakeBeApi, id: string): Presence {
  const found = fake.presences.find(({ workerId }) => workerId === id);
  if (!found) throw new Problem('not_found', 'No worker has this id; register again');
  if (found.gone) throw new Problem('gone', 'This registration has ended; register again');
  return found;
}
