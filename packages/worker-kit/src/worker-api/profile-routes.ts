import { Problem, type ProfileId, type WorkerApiOperations } from '@connecta/contracts';
import { answer, decodeCursor, idempotencyKeyOf, inputOf, requireIfMatch, setEtag, toPage } from '@connecta/runtime';
import { Router, type Request } from 'express';
import { z } from 'zod';
import type { ProfileService, ProfileWrite } from '../profiles/profile-service.ts';
import type { ProfileStore, StoredProfile } from '../profiles/profile-store.ts';
import { findProfile, findRevision, listProfiles, listRevisions } from '../profiles/read-profiles.ts';
import { showProfile, showRevision } from './views.ts';

export interface ProfileRoutesOptions {
  store: ProfileStore;
  service: ProfileService;
  /** Told of each change after it is committed. */
  onChange: (profile: StoredProfile) => void;
}

/** `/v1/profiles` and below. */
export function profileRoutes(options: ProfileRoutesOptions): Router {
  const { store, service, onChange } = options;
  const router = Router();

  router.get('/v1/profiles', async (req, res) => {
    const { query } = inputOf<WorkerApiOperations['listProfiles']>(req);
    const limit = query.limit ?? 100;
    const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor, z.uuid());
    const { name } = query;
    const rows = await listProfiles(store, { limit: limit + 1, after, name, function: query.function });
    const page = toPage(rows, limit, { item: showProfile, place: ({ id }) => id });
    answer<WorkerApiOperations['listProfiles'], 200>(res, 200, page);
  });

  router.post('/v1/profiles', async (req, res) => {
    const { body } = inputOf<WorkerApiOperations['createProfile']>(req);
    const profile = await service.create(body as ProfileWrite, idempotencyKeyOf(req));
    onChange(profile);
    setEtag(res, profile.revision);
    res.setHeader('location', `/v1/profiles/${profile.id}`);
    answer<WorkerApiOperations['createProfile'], 201>(res, 201, showProfile(profile));
  });

  router.get('/v1/profiles/:id', async (req, res) => {
    const profile = await findProfile(store, idOf(req));
    if (!profile) throw new Problem('not_found', 'there is no such profile');
    setEtag(res, profile.revision);
    answer<WorkerApiOperations['getProfile'], 200>(res, 200, showProfile(profile));
  });

  router.put('/v1/profiles/:id', async (req, res) => {
    const { body } = inputOf<WorkerApiOperations['replaceProfile']>(req);
    const profile = await service.replace(idOf(req), requireIfMatch(req), body as ProfileWrite);
    onChange(profile);
    setEtag(res, profile.revision);
    answer<WorkerApiOperations['replaceProfile'], 200>(res, 200, showProfile(profile));
  });

  router.delete('/v1/profiles/:id', async (req, res) => {
    onChange(await service.delete(idOf(req), requireIfMatch(req)));
    res.status(204).end();
  });

  router.get('/v1/profiles/:id/revisions', async (req, res) => {
    const { query } = inputOf<WorkerApiOperations['listProfileRevisions']>(req);
    const limit = query.limit ?? 100;
    const before = query.cursor === undefined ? undefined : decodeCursor(query.cursor, z.int().positive());
    const rows = await listRevisions(store, { profileId: idOf(req), limit: limit + 1, before });
    if (rows.length === 0 && before === undefined) throw new Problem('not_found', 'there is no such profile');
    const page = toPage(rows, limit, { item: showRevision, place: ({ revision }) => revision });
    answer<WorkerApiOperations['listProfileRevisions'], 200>(res, 200, page);
  });

  router.get('/v1/profiles/:id/revisions/:revision', async (req, res) => {
    const { path } = inputOf<WorkerApiOperations['getProfileRevision']>(req);
    const revision = await findRevision(store, { profileId: idOf(req), revision: path.revision });
    if (!revision) throw new Problem('not_found', 'the profile never had this revision');
    answer<WorkerApiOperations['getProfileRevision'], 200>(res, 200, showRevision(revision));
  });

  return router;
}

/** The path's id; that it is one was checked against the document. */
function idOf(req: Request): ProfileId {
  return req.params['id'] as ProfileId;
}
