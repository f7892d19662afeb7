/** The profiles of the worker under trial, kept in memory; with one fault (see worker.mjs) at most. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

class Refusal extends Error {
  constructor(status, code) {
    super(code);
    this.status = status;
  }
}

/** What is kept; `copies` is what be-api is told. */
function keepProfiles({ broken, onChange }) {
  const kept = new Map();
  const changed = () => broken('tells-no-change') || onChange();
  const newest = (id) => kept.get(id)?.revisions.at(-1);

  function write(id, body) {
    const one = kept.get(id) ?? { revisions: [], deleted: false };
    const now = new Date().toISOString();
    const profile = { ...body, id, revision: one.revisions.length + 1, createdAt: now, updatedAt: now };
    kept.set(id, one);
    one.revisions.push(profile);
    if (broken('rewrites-revisions'))
      one.revisions = one.revisions.map((old) => ({ ...profile, revision: old.revision }));
    changed();
    return profile;
  }

  function remove(id) {
    kept.get(id).deleted = true;
    if (broken('forgets-the-deleted')) kept.get(id).revisions = [];
    changed();
  }

  const copy = ({ revisions, deleted }) => {
    const { id, name, function: of, revision } = revisions.at(-1);
    return { id, name, function: of, revision, deleted };
  };
  return {
    ...{ write, remove },
    found: (id) => (newest(id) && !kept.get(id).deleted ? newest(id) : refuse(404, 'not_found')),
    live: () => [...kept.values()].filter(({ deleted }) => !deleted).map(({ revisions }) => revisions.at(-1)),
    revisions: (id) => kept.get(id)?.revisions ?? [],
    copies: () => [...kept.values()].filter(({ revisions }) => revisions.length > 0).map(copy),
  };
}

/** The calls on what is kept. */
function openProfiles({ functions, broken, profiles }) {
  const { found, live, revisions, write, remove } = profiles;

  function check({ name, function: wanted, settings }, own) {
    const known = functions.some((one) => one.name === wanted);
    const fits = settings.n === undefined || typeof settings.n === 'number' || broken('takes-any-settings');
    if (!known || !fits) refuse(422, 'validation_failed');
    if (live().some((one) => one.name === name && one.id !== own)) refuse(409, 'name_taken');
  }

  function expectFresh(id, ifMatch) {
    const { revision } = found(id);
    if (broken('writes-blindly')) return;
    if (ifMatch === undefined) refuse(428, 'precondition_required');
    if (ifMatch !== `"${revision}"`) refuse(412, 'precondition_failed');
  }

  return function serve(method, path, { body, ifMatch }) {
    const page = (items) => ({ status: 200, body: { items, nextCursor: null } });
    const shown = (status, profile) => ({ status, body: profile, etag: `"${profile.revision}"` });
    if (path === '/v1/functions')
      return { status: 200, body: { items: functions.map((one) => ({ ...one, cacheable: false, misfits: [] })) } };
    const [, , collection, id, , revision] = path.split('/');
    if (collection !== 'profiles') refuse(404, 'not_found');
    if (id === undefined && method === 'GET') return page(live());
    if (id === undefined) {
      check(body);
      return shown(201, write(randomUUID(), body));
    }
    if (revision !== undefined) return { status: 200, body: toRevision(revisions(id)[revision - 1]) };
    if (path.endsWith('/revisions')) return page(revisions(id).map(toRevision));
    if (method === 'GET') return shown(200, found(id));
    expectFresh(id, ifMatch);
    if (method === 'PUT') {
      check(body, id);
      return shown(200, write(id, body));
    }
    remove(id);
    return { status: 204 };
  };
}

/** Serves them on a port of the loopback interface. */
export async function serveProfiles({ port, ...parts }) {
  const profiles = keepProfiles(parts);
  const serve = openProfiles({ ...parts, profiles });
  const server = createServer(async (req, res) => {
    const answer = { status: 500 };
    try {
      const isGateway = req.headers.authorization === `Bearer ${process.env.CONNECTA_GATEWAY_KEY}`;
      if (!isGateway && !parts.broken('lets-strangers-in')) refuse(401, 'unauthenticated');
      const sent = await text(req);
      const asked = { body: sent === '' ? undefined : JSON.parse(sent), ifMatch: req.headers['if-match'] };
      Object.assign(answer, serve(req.method, req.url.split('?')[0], asked));
    } catch (error) {
      const { status = 500, message: code } = error;
      const body = { type: `urn:connecta:problem:${code}`, title: code, status, code };
      Object.assign(answer, { status, body, type: 'application/problem+json' });
    }
    const { status, body, etag, type = 'application/json' } = answer;
    res.writeHead(status, { ...(body && { 'content-type': type }), ...(etag && { etag }) });
    res.end(body && JSON.stringify(body));
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return { copies: profiles.copies };
}

function refuse(status, code) {
  throw new Refusal(status, code);
}

function toRevision(profile) {
  if (!profile) refuse(404, 'not_found');
  const { id: profileId, revision, name, function: of, settings, createdAt } = profile;
  return { profileId, revision, name, function: of, settings, createdAt };
}
