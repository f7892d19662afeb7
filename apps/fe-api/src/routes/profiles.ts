import { Problem, type FeApiOperations, type ProfileId, type WorkerApiOperations } from '@connecta/contracts';
import { answer, inputOf, requireRole, type OperationAnswer } from '@connecta/runtime';
import { assertProfileUnused, findKnownProfile, upsertProfiles, type Store, type ToldProfile } from '@connecta/store';
import { Router, type Request, type Response } from 'express';
import { withStoreProblems } from '../access/store-problems.ts';
import type { WorkerApis } from '../workers/worker-apis.ts';

type Operations = FeApiOperations;
type Profile = OperationAnswer<WorkerApiOperations['getProfile'], 200>;

/**
 * The profiles of worker types, passed through to each type's own API with its ETags and problems. The answer of each
 * write updates the read copy, so that the very next order is pinned to it.
 */
export function profilesRouter(parts: { store: Store; workerApis: WorkerApis }): Router {
  const router = Router();
  const { store, workerApis } = parts;
  const mayRead = requireRole('admin', 'operator', 'viewer');
  const mayWrite = requireRole('admin', 'operator');

  router.get('/v1/workers/:type/functions', mayRead, async (req, res) => {
    const { type } = inputOf<Operations['listFunctions']>(req).path;
    const { data } = await workerApis.call(type, 'listFunctions', (client) => client.GET('/v1/functions'));
    answer<Operations['listFunctions'], 200>(res, 200, data);
  });
  router.get('/v1/workers/:type/profiles', mayRead, async (req, res) => {
    const { path, query } = inputOf<Operations['listProfiles']>(req);
    const { data } = await workerApis.call(path.type, 'listProfiles', (client) =>
      client.GET('/v1/profiles', { params: { query } }),
    );
    answer<Operations['listProfiles'], 200>(res, 200, data);
  });
  router.post('/v1/workers/:type/profiles', mayWrite, async (req, res) => {
    const { path, body, header } = inputOf<Operations['createProfile']>(req);
    const key = header['idempotency-key'];
    const { data, response } = await workerApis.call(path.type, 'createProfile', (client) =>
      client.POST('/v1/profiles', {
        params: { header: key === undefined ? {} : { 'Idempotency-Key': key } },
        body,
      }),
    );
    await remember(store, path.type, data);
    res.setHeader('location', `/v1/workers/${path.type}/profiles/${data.id}`);
    passEtag(response, res);
    answer<Operations['createProfile'], 201>(res, 201, data);
  });
  router.get('/v1/workers/:type/profiles/:id', mayRead, async (req, res) => {
    const { type, id } = inputOf<Operations['getProfile']>(req).path;
    const { data, response } = await workerApis.call(type, 'getProfile', (client) =>
      client.GET('/v1/profiles/{id}', { params: { path: { id } } }),
    );
    passEtag(response, res);
    answer<Operations['getProfile'], 200>(res, 200, data);
  });
  router.put('/v1/workers/:type/profiles/:id', mayWrite, async (req, res) => {
    const { path, body } = inputOf<Operations['replaceProfile']>(req);
    const { data, response } = await workerApis.call(path.type, 'replaceProfile', (client) =>
      client.PUT('/v1/profiles/{id}', { params: { path: { id: path.id }, header: ifMatch(req) }, body }),
    );
    await remember(store, path.type, data);
    passEtag(response, res);
    answer<Operations['replaceProfile'], 200>(res, 200, data);
  });
  router.delete('/v1/workers/:type/profiles/:id', mayWrite, async (req, res) => {
    const { type, id } = inputOf<Operations['deleteProfile']>(req).path;
    await withStoreProblems(assertProfileUnused(store, type, id as ProfileId));
    await workerApis.call(type, 'deleteProfile', (client) =>
      client.DELETE('/v1/profiles/{id}', { params: { path: { id }, header: ifMatch(req) } }),
    );
    await forget(store, req, { type, id: id as ProfileId });
    res.status(204).end();
  });
  router.use(revisionsRouter(workerApis));
  return router;
}

function revisionsRouter(workerApis: WorkerApis): Router {
  const router = Router();
  const mayRead = requireRole('admin', 'operator', 'viewer');
  router.get('/v1/workers/:type/profiles/:id/revisions', mayRead, async (req, res) => {
    const { path, query } = inputOf<Operations['listProfileRevisions']>(req);
    const { data } = await workerApis.call(path.type, 'listProfileRevisions', (client) =>
      client.GET('/v1/profiles/{id}/revisions', { params: { path: { id: path.id }, query } }),
    );
    answer<Operations['listProfileRevisions'], 200>(res, 200, data);
  });
  router.get('/v1/workers/:type/profiles/:id/revisions/:revision', mayRead, async (req, res) => {
    const { type, id, revision } = inputOf<Operations['getProfileRevision']>(req).path;
    const { data } = await workerApis.call(type, 'getProfileRevision', (client) =>
      client.GET('/v1/profiles/{id}/revisions/{revision}', { params: { path: { id, revision } } }),
    );
    answer<Operations['getProfileRevision'], 200>(res, 200, data);
  });
  return router;
}

function ifMatch(req: Request): { 'If-Match'?: string } {
  const header = req.headers['if-match'];
  return header === undefined ? {} : { 'If-Match': header };
}

function passEtag(response: globalThis.Response, res: Response): void {
  const etag = response.headers.get('etag');
  if (etag === null) throw new Problem('worker_misbehaved', 'The worker type answered a profile without its ETag');
  res.setHeader('etag', etag);
}

async function remember(store: Store, type: string, profile: Profile): Promise<void> {
  const { id, name, revision } = profile;
  await upsertProfiles(store, type, [{ id: id as ProfileId, name, function: profile.function, revision }]);
}

/** A deletion keeps the revision that it deleted. */
async function forget(store: Store, req: Request, { type, id }: { type: string; id: ProfileId }): Promise<void> {
  const known = await findKnownProfile(store, type, id);
  if (!known) return;
  const matched = Number(/"(\d{1,9})"/.exec(req.headers['if-match'] ?? '')?.[1] ?? 0);
  const deleted: ToldProfile = { ...known, revision: Math.max(known.revision, matched), deleted: true };
  await upsertProfiles(store, type, [deleted]);
}
