import { OPENAPI_DOCUMENTS, newId, type JsonValue } from '@connecta/contracts';
import { createAnswerChecker, type AnswerChecker } from '@connecta/runtime';
import { PATIENCE_MS, type Scene } from '../scene.ts';

interface Reply {
  status: number;
  etag: string;
  body: { [name: string]: JsonValue };
  /** What the document has against it. */
  fault: string | undefined;
}

/** Rules 24 to 26: the API at the worker's `apiUrl`, as fe-api calls it. */
export async function servesProfiles({ fake, verdicts, cases, worker }: Scene): Promise<void> {
  const url = fake.api?.registration.apiUrl;
  const { settings } = cases;
  for (const [missing, reason] of [
    [url === undefined, 'it registered no apiUrl'],
    [settings === undefined, 'the cases name no `settings`'],
  ] as const) {
    if (missing) for (const rule of [24, 25, 26] as const) verdicts.skip(rule, reason);
  }
  if (url === undefined || settings === undefined) return;
  const call = caller(url, worker.gatewayKey);
  const name = 'made-by-the-kit';
  const profile = { name, function: settings.function, settings: settings.valid };
  const good = (what: string, reply: Reply, status: number): boolean =>
    verdicts.check(
      24,
      reply.status === status && reply.fault === undefined,
      `${what}: ${reply.status} instead of ${status}${reply.fault === undefined ? '' : `: ${reply.fault}`} ${JSON.stringify(reply.body).slice(0, 300)}`,
    );
  const bad = (what: string, reply: Reply, status: number): boolean =>
    verdicts.check(25, reply.status === status, `${what}: ${reply.status} instead of ${status}`);
  const told = async (what: string, holds: () => boolean): Promise<void> =>
    void verdicts.check(26, await fake.until(holds, PATIENCE_MS), `be-api was not told that a profile was ${what}`);

  good('GET /v1/functions', await call('GET', '/v1/functions'), 200);
  good('GET /v1/profiles', await call('GET', '/v1/profiles'), 200);
  const created = await call('POST', '/v1/profiles', { body: profile });
  if (!good('POST /v1/profiles', created, 201)) return;
  const id = typeof created.body['id'] === 'string' ? created.body['id'] : '';
  const at = `/v1/profiles/${id}`;
  await told('created', () => fake.profiles.get(id)?.revision === 1);
  const read = await call('GET', at);
  good('GET a profile', read, 200);
  verdicts.check(24, read.etag !== '' && read.etag === created.etag, `its ETag is ${read.etag}`);
  bad('a write without If-Match', await call('PUT', at, { body: profile }), 428);
  bad('a write with a stale If-Match', await call('PUT', at, { body: profile, ifMatch: '"99"' }), 412);
  bad('a name that is taken', await call('POST', '/v1/profiles', { body: profile }), 409);
  const wrong = { ...profile, name: 'wrong', settings: settings.invalid };
  bad('settings that do not fit', await call('POST', '/v1/profiles', { body: wrong }), 422);
  const unknown = { ...profile, name: 'wrong', function: 'no.such.function' };
  bad('an unknown function', await call('POST', '/v1/profiles', { body: unknown }), 422);
  bad('a stranger', await call('GET', '/v1/profiles', { key: 'somebody-else' }), 401);
  bad('an unknown profile', await call('GET', `/v1/profiles/${newId()}`), 404);
  const renamed = { ...profile, name: `${name}-2` };
  const replaced = await call('PUT', at, { body: renamed, ifMatch: read.etag });
  if (!good('PUT a profile', replaced, 200)) return;
  verdicts.check(24, replaced.body['revision'] === 2, 'a write did not make the revision 2');
  await told('changed', () => fake.profiles.get(id)?.revision === 2);
  const first = await call('GET', `${at}/revisions/1`);
  good('GET the first revision', first, 200);
  verdicts.check(24, first.body['name'] === name, 'the first revision was changed by a later write');
  good('GET the revisions', await call('GET', `${at}/revisions`), 200);
  const deleted = await call('DELETE', at, { ifMatch: replaced.etag });
  verdicts.check(24, deleted.status === 204, `DELETE a profile: ${deleted.status} instead of 204`);
  bad('a deleted profile', await call('GET', at), 404);
  good('GET a revision of a deleted profile', await call('GET', `${at}/revisions/2`), 200);
  await told('deleted', () => fake.profiles.get(id)?.deleted === true);
}

function caller(url: string, gatewayKey: string) {
  const checker = createAnswerChecker(OPENAPI_DOCUMENTS.workerApi);
  return async (
    method: string,
    path: string,
    options: { body?: unknown; ifMatch?: string; key?: string } = {},
  ): Promise<Reply> => {
    try {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${options.key ?? gatewayKey}`,
          ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(options.ifMatch === undefined ? {} : { 'if-match': options.ifMatch }),
        },
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      const text = await response.text();
      const body = (text === '' ? {} : JSON.parse(text)) as Reply['body'];
      const contentType = response.headers.get('content-type') ?? undefined;
      const asked = { method, path, status: response.status, contentType, body };
      const fault = text === '' ? undefined : faultOf(checker, asked);
      return { status: response.status, etag: response.headers.get('etag') ?? '', body, fault };
    } catch (error) {
      const fault = error instanceof Error ? error.message : String(error);
      return { status: 0, etag: '', body: {}, fault };
    }
  };
}

/** What the document has against an answer. */
function faultOf(
  checker: AnswerChecker,
  asked: { method: string; path: string; status: number; contentType: string | undefined; body: unknown },
): string | undefined {
  const { method, path, ...answer } = asked;
  const shape = path.replace(/[0-9a-f-]{36}/, '{id}').replace(/\/\d+$/, '/{revision}');
  const operation = OPERATIONS[`${method} ${shape}`];
  if (operation === undefined) return undefined;
  return (
    checker(operation, answer)
      .map(({ path: place, message }) => `${place} ${message}`)
      .join('; ') || undefined
  );
}

const OPERATIONS: Readonly<Record<string, string>> = {
  'GET /v1/functions': 'listFunctions',
  'GET /v1/profiles': 'listProfiles',
  'POST /v1/profiles': 'createProfile',
  'GET /v1/profiles/{id}': 'getProfile',
  'PUT /v1/profiles/{id}': 'replaceProfile',
  'GET /v1/profiles/{id}/revisions': 'listProfileRevisions',
  'GET /v1/profiles/{id}/revisions/{revision}': 'getProfileRevision',
};
