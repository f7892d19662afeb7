import { afterAll, describe, expect, test } from '@jest/globals';
import { Problem } from '@connecta/contracts';
import { Router, type Express } from 'express';
import request from 'supertest';
import {
  Metrics,
  bearerOf,
  createApi,
  inputOf,
  principalOf,
  silentLogger,
  startServer,
  type HttpServer,
} from '../src/index.ts';

const ID = '018f2f0e-0000-7000-8000-000000000001';
const state = { ready: true, failure: undefined as unknown };

function routes(): Router {
  const router = Router();
  router.get('/v1/things', (req, res) => {
    const { query } = inputOf<{ parameters: { query?: { limit?: number; state?: string[] } }; responses: object }>(req);
    res.json({ query, principal: principalOf<{ name: string }>(req) });
  });
  router.post('/v1/things', (req, res) => {
    const body = req.body as { name: string };
    if (body.name === 'undeclared-field') res.status(201).json({ name: 'x', more: 1 });
    else if (body.name === 'undeclared-status') res.status(200).json(body);
    else res.status(201).json(body);
  });
  router.get('/v1/things/mine', (_req, res) => {
    res.json({ mine: true });
  });
  router.get('/v1/things/:id', () => {
    throw state.failure;
  });
  router.put('/v1/things/:id', (req, res) => {
    let size = 0;
    req.on('data', (chunk: Buffer) => (size += chunk.length));
    req.on('end', () => res.setHeader('x-size', size).status(204).end());
  });
  router.get('/v1/open', (_req, res) => {
    if (state.failure === 'stream') res.status(202).end('x');
    else res.type('text/plain').send('open');
  });
  return router;
}

const app: Express = createApi({
  name: 'sample',
  openapi: new URL('sample-api.yaml', import.meta.url),
  routers: [routes()],
  authenticate: (req) =>
    bearerOf(req) === 'good'
      ? Promise.resolve({ name: 'someone' })
      : Promise.reject(new Problem('unauthenticated', 'wrong key')),
  ready: { part: () => (state.ready ? Promise.resolve() : Promise.reject(new Error('down'))) },
  log: silentLogger(),
  metrics: new Metrics({ name: 'sample' }),
  responseValidation: true,
  corsOrigins: ['https://console.example'],
});
const servers: HttpServer[] = [];
afterAll(() => Promise.all(servers.map((server) => server.close(0))));

const get = (path: string) => request(app).get(path).set('authorization', 'Bearer good');
const post = (body: string) =>
  request(app).post('/v1/things').set('authorization', 'Bearer good').type('application/json').send(body);

describe('requests', () => {
  test('parameters arrive with their declared types and defaults', async () => {
    const { body } = await get('/v1/things?state=a').expect(200);
    expect(body).toEqual({ query: { limit: 20, state: ['a'] }, principal: { name: 'someone' } });
    expect((await get('/v1/things?limit=7')).body).toMatchObject({ query: { limit: 7 } });
  });

  test('every fault of the parameters is told with its place', async () => {
    const { body } = await get('/v1/things?limit=x&colour=red&state=c').expect(400);
    expect(body).toMatchObject({ code: 'bad_request', status: 400, type: 'urn:connecta:problem:bad_request' });
    const { errors } = body as { errors: { path: string }[] };
    expect(errors.map((error) => error.path).toSorted()).toEqual(['query:colour', 'query:limit', 'query:state/0']);
    expect((await get('/v1/things/7').expect(400)).body).toMatchObject({ errors: [{ path: 'path:id' }] });
  });

  test('every fault of a body is told with a JSON pointer', async () => {
    const { body } = await post('{"size":"1","a/b":2,"parent":{}}')
      .expect(400)
      .expect('content-type', /problem\+json/);
    const { errors } = body as { errors: { path: string; message: string }[] };
    expect(errors.map((error) => `${error.path} ${error.message}`).toSorted()).toEqual([
      '/a~1b is not known',
      '/name is required',
      '/parent/name is required',
      '/size must be integer',
    ]);
  });

  test('defaults of a body are filled in', async () => {
    expect((await post('{"name":"x"}').expect(201)).body).toEqual({ name: 'x', size: 1 });
  });

  test.each([
    ['a bomb of brackets', '['.repeat(200_000), 'json_too_deep'],
    ['a bomb of objects', '{"a":'.repeat(60_000), 'json_too_deep'],
    ['balanced nesting', `{"name":"x","tree":${'['.repeat(64)}${']'.repeat(64)}}`, 'json_too_deep'],
    ['no JSON', '{"name":', 'malformed_json'],
    ['an empty text', ' ', 'malformed_json'],
    ['a NUL', '{"name":"\\u0000"}', 'bad_request'],
    ['half a surrogate', '{"name":"\\ud800"}', 'bad_request'],
    ['a prototype', '{"name":"x","tree":{"__proto__":{"a":1}}}', 'bad_request'],
    ['a number beyond a double', '{"name":"x","tree":1e999}', 'bad_request'],
  ])('%s is refused', async (_what, body, code) => {
    expect((await post(body).expect(400)).body).toMatchObject({ code });
  });

  test('brackets inside texts are no nesting, and 64 levels are allowed', async () => {
    await post(JSON.stringify({ name: 'x', tree: '[\\"['.repeat(500) })).expect(201);
    await post(`{"name":"x","tree":${'['.repeat(63)}${']'.repeat(63)}}`).expect(201);
  });

  test('a body over its limit is a 413, a missing one a 400, another media type a 415', async () => {
    expect((await post(JSON.stringify({ name: 'x'.repeat(400_001) })).expect(413)).body).toMatchObject({
      code: 'too_large',
    });
    await request(app).post('/v1/things').set('authorization', 'Bearer good').expect(400);
    const wrong = await request(app)
      .post('/v1/things')
      .set('authorization', 'Bearer good')
      .type('text/xml')
      .send('<a/>');
    expect(wrong.status).toBe(415);
  });

  test('a binary body streams through', async () => {
    const answer = await request(app)
      .put(`/v1/things/${ID}`)
      .set('authorization', 'Bearer good')
      .type('image/png')
      .send(Buffer.alloc(3_000_000));
    expect([answer.status, answer.headers['x-size']]).toEqual([204, '3000000']);
  });

  test('unknown paths, methods and representations have their problems', async () => {
    expect((await get('/v1/nothing').expect(404)).body).toMatchObject({ code: 'not_found' });
    const method = await request(app).delete('/v1/things').set('authorization', 'Bearer good').expect(405);
    expect(method.headers['allow']).toBe('GET, POST');
    expect((await get('/v1/things').set('accept', 'image/png').expect(406)).body).toMatchObject({
      code: 'not_acceptable',
    });
    await get('/v1/things/%E0%A4%A').expect(400);
  });

  test('a fixed path wins over a variable one, and a trailing slash changes nothing', async () => {
    await get('/v1/things/mine').expect(200);
    await get('/v1/things/mine/').expect(200);
  });

  test('authentication is asked for where the document says so, before the body is read', async () => {
    const answer = await request(app).post('/v1/things').type('application/json').send('[').expect(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer');
    await request(app).get('/v1/things').set('authorization', 'Bearer bad').expect(401);
    await request(app).get('/v1/open').expect(200, 'open');
  });
});

describe('answers', () => {
  test('an undeclared field, status or media type is a 500', async () => {
    await post('{"name":"undeclared-field"}').expect(500);
    state.failure = 'stream';
    await post('{"name":"undeclared-status"}').expect(500);
    await request(app).get('/v1/open').expect(500);
    await request(app).get('/v1/things/mine').expect(500);
  });

  test.each([
    [new Problem('conflict', 'no', { extensions: { winner: 2 } }), 409, { code: 'conflict', winner: 2 }],
    [Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), 503, { code: 'unavailable' }],
    [new Error('x', { cause: Object.assign(new Error('gone'), { code: '57P01' }) }), 503, { code: 'unavailable' }],
    [Object.assign(new Error('Not found'), { status: 404 }), 404, { code: 'not_found' }],
    [new Error('a secret'), 500, { code: 'internal' }],
    ['thrown text', 500, { code: 'internal' }],
  ])('failure %# becomes a problem', async (failure, status, document) => {
    state.failure = failure;
    const answer = await get(`/v1/things/${ID}`)
      .expect(status)
      .expect('content-type', /problem\+json/);
    expect(answer.body).toMatchObject(document);
    expect(answer.text).not.toContain('secret');
    expect(answer.headers['retry-after']).toBe(status === 503 ? '2' : undefined);
  });

  test('request ids and traces are taken over or made', async () => {
    const given = await get('/v1/things')
      .set('x-request-id', 'abc')
      .set('traceparent', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01');
    expect(given.headers['x-request-id']).toBe('abc');
    expect(given.headers['traceparent']).toMatch(/^00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-01$/);
    const made = await get('/v1/things').set('x-request-id', 'not allowed').set('traceparent', 'junk');
    expect(made.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(made.headers['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });

  test('a configured origin may call from a browser', async () => {
    const answer = await request(app).options('/v1/things').set('origin', 'https://console.example').expect(204);
    expect(answer.headers['access-control-allow-origin']).toBe('https://console.example');
    const other = await get('/v1/things').set('origin', 'https://evil.example');
    expect(other.headers['access-control-allow-origin']).not.toBe('https://evil.example');
  });
});

describe('system paths', () => {
  test('live, ready, metrics, the document and its page need no credential', async () => {
    await request(app).get('/live').expect(200);
    expect((await request(app).get('/ready').expect(200)).body).toEqual({ status: 'ready', checks: { part: 'ok' } });
    expect((await request(app).get('/openapi.json').expect(200)).body).toMatchObject({ openapi: '3.1.0' });
    expect((await request(app).get('/metrics').expect(200)).text).toContain('route="/v1/things"');
    const page = await request(app).get('/docs/').expect(200);
    expect(page.text).not.toMatch(/(src|href)="https?:/);
    await request(app).get('/docs/swagger-ui-bundle.js').expect(200);
    await request(app).post('/live').expect(405);
  });

  test('a failing check is named', async () => {
    state.ready = false;
    const answer = await request(app).get('/ready').expect(503);
    expect(answer.body).toEqual({ status: 'unready', checks: { part: 'failing' } });
    state.ready = true;
  });
});

describe('the server', () => {
  test('closing finishes what is in flight and cuts what takes too long', async () => {
    let release = (): void => undefined;
    const asked = new Promise<void>((resolve) => {
      release = resolve;
    });
    const server = await startServer(
      (req, res) => {
        release();
        if (req.url === '/slow') setTimeout(() => res.end('done'), 150);
      },
      { port: 0 },
    );
    servers.push(server);
    const slow = fetch(`${server.url}/slow`);
    const never = fetch(`${server.url}/never`);
    await asked;
    const began = performance.now();
    const closing = server.close(600);
    await expect((await slow).text()).resolves.toBe('done');
    await expect(never).rejects.toThrow();
    await closing;
    expect(performance.now() - began).toBeLessThan(30_000);
    await expect(fetch(server.url)).rejects.toThrow();
  });
});
