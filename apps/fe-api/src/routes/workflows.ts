import { createHash } from 'node:crypto';
import {
  Problem,
  WORKFLOW_SCHEMA,
  type Fault,
  type FeApiOperations,
  type WorkflowDefinition,
} from '@connecta/contracts';
import { validateWorkflow } from '@connecta/intake';
import {
  answer,
  assertRevision,
  decodeCursor,
  idempotencyOf,
  inputOf,
  requireIfMatch,
  requireRole,
  setEtag,
  toPage,
  type OperationAnswer,
} from '@connecta/runtime';
import {
  createWorkflow,
  deleteWorkflow,
  findWorkflow,
  findWorkflowVersion,
  listWorkflowVersions,
  listWorkflows,
  replaceWorkflow,
  type Store,
  type Workflow,
  type WorkflowVersion,
} from '@connecta/store';
import { Router, type Request, type Response } from 'express';
import { z } from 'zod';
import { callerOf, scopeOf } from '../access/caller.ts';
import { withStoreProblems } from '../access/store-problems.ts';
import { readWorkflowBody } from '../workflows/read-workflow-body.ts';

type Operations = FeApiOperations;
type View = OperationAnswer<Operations['getWorkflow'], 200>;
type FaultView = OperationAnswer<Operations['validateWorkflow'], 200>['errors'][number];
type VersionView = OperationAnswer<Operations['getWorkflowVersion'], 200>;

/** A path of its own: a workflow of this name could not be addressed. */
const RESERVED = 'validate';

/** Named workflows: checked when they are saved, never changed once they have a version. */
export function workflowsRouter({ store }: { store: Store }): Router {
  const router = Router();
  const mayRead = requireRole('admin', 'operator', 'viewer');
  const mayWrite = requireRole('admin', 'operator');
  router.get('/v1/workflow-schema', (_req, res) => {
    res.setHeader('content-type', 'application/schema+json; charset=utf-8');
    res.setHeader('cache-control', 'public, max-age=3600');
    res.json(WORKFLOW_SCHEMA);
  });
  router.get('/v1/workflows', mayRead, async (req, res) => {
    const { limit = 100, cursor } = inputOf<Operations['listWorkflows']>(req).query;
    const after = cursor === undefined ? undefined : decodeCursor(cursor, z.string());
    const rows = await listWorkflows(store, { after, limit: limit + 1 });
    const page = toPage(rows, limit, { item: summaryOf, place: ({ name }) => name });
    answer<Operations['listWorkflows'], 200>(res, 200, page);
  });
  router.post('/v1/workflows/validate', mayRead, async (req, res) => {
    const { value, locate } = await readWorkflowBody(req);
    const { faults } = await validateWorkflow(store, value);
    answer<Operations['validateWorkflow'], 200>(res, 200, {
      valid: faults.length === 0,
      errors: locate(faults).map(faultView),
    });
  });
  router.post('/v1/workflows', mayWrite, (req, res) => create(store, req, res));
  router.get('/v1/workflows/:name', mayRead, async (req, res) => {
    send(res, await findWorkflow(store, inputOf<Operations['getWorkflow']>(req).path.name));
  });
  router.put('/v1/workflows/:name', mayWrite, (req, res) => replace(store, req, res));
  router.delete('/v1/workflows/:name', mayWrite, async (req, res) => {
    const expected = requireIfMatch(req);
    const { name } = inputOf<Operations['deleteWorkflow']>(req).path;
    const deleted = deleteWorkflow(store, { name, check: (version) => assertRevision(expected, version) });
    if (!(await withStoreProblems(deleted))) throw noWorkflow();
    res.status(204).end();
  });
  router.use(versionsRouter(store));
  return router;
}

function versionsRouter(store: Store): Router {
  const router = Router();
  const mayRead = requireRole('admin', 'operator', 'viewer');
  router.get('/v1/workflows/:name/versions', mayRead, async (req, res) => {
    const { path, query } = inputOf<Operations['listWorkflowVersions']>(req);
    const { limit = 100, cursor } = query;
    const before = cursor === undefined ? undefined : decodeCursor(cursor, z.number().int().positive());
    const rows = await listWorkflowVersions(store, { name: path.name, before, limit: limit + 1 });
    if (rows.length === 0 && before === undefined) throw noWorkflow();
    const page = toPage(rows, limit, { item: versionView, place: ({ version }) => version });
    answer<Operations['listWorkflowVersions'], 200>(res, 200, page);
  });
  router.get('/v1/workflows/:name/versions/:version', mayRead, async (req, res) => {
    const found = await findWorkflowVersion(store, inputOf<Operations['getWorkflowVersion']>(req).path);
    if (!found) throw noWorkflow();
    answer<Operations['getWorkflowVersion'], 200>(res, 200, versionView(found));
  });
  return router;
}

async function create(store: Store, req: Request, res: Response): Promise<void> {
  const definition = await readValid(store, req);
  const name = definition.name as string;
  const text = JSON.stringify(definition);
  const idempotency = idempotencyOf(req, text);
  const { workflow, repeated } = await withStoreProblems(
    createWorkflow(
      store,
      { name, definition, hash: hashOf(definition) },
      idempotency && { ...idempotency, scope: scopeOf(callerOf(req), 'POST /v1/workflows') },
    ),
  );
  res.setHeader('location', `/v1/workflows/${name}`);
  send(res, workflow, repeated ? 200 : 201);
}

async function replace(store: Store, req: Request, res: Response): Promise<void> {
  const expected = requireIfMatch(req);
  const { name } = inputOf<Operations['replaceWorkflow']>(req).path;
  const definition: WorkflowDefinition = { name, ...(await readValid(store, req, name)) };
  if (definition.name !== name) {
    const message = `must be '${name}', or left out`;
    throw new Problem('bad_request', `The workflow's name ${message}`, { faults: [{ path: '/name', message }] });
  }
  const written = { name, definition, hash: hashOf(definition) };
  send(res, await replaceWorkflow(store, { written, check: (version) => assertRevision(expected, version) }));
}

/**
 * The workflow of a body; its name is `name`, or, without one, must be its own.
 *
 * @throws Problem invalid_workflow with every fault at once
 */
async function readValid(store: Store, req: Request, name?: string): Promise<WorkflowDefinition> {
  const { value, locate } = await readWorkflowBody(req);
  const { definition, faults } = await validateWorkflow(store, value, name);
  const all = [...faultsOfName(value, name), ...faults];
  if (definition && all.length === 0) return definition;
  throw new Problem('invalid_workflow', 'The workflow is not valid', { faults: locate(all) });
}

/** What is wrong with the name of a new workflow although its shape is right. */
function faultsOfName(value: unknown, given: string | undefined): Fault[] {
  if (given !== undefined || typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  const { name } = value as { name?: unknown };
  if (name !== undefined && name !== RESERVED) return [];
  return [{ path: '/name', message: name === undefined ? 'is required' : 'is reserved' }];
}

function send(res: Response, workflow: Workflow | null, status: 200 | 201 = 200): void {
  if (!workflow) throw noWorkflow();
  setEtag(res, workflow.version);
  const { name, version, definition, createdAt, updatedAt } = workflow;
  const view = {
    name,
    version,
    definition: viewOf(definition),
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
  answer<Operations['createWorkflow'], 200 | 201>(res, status, view);
}

function summaryOf({
  name,
  version,
  definition,
  createdAt,
  updatedAt,
}: Workflow): OperationAnswer<Operations['listWorkflows'], 200>['items'][number] {
  const { description } = definition;
  return {
    ...{ name, version },
    ...(description === undefined ? {} : { description }),
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}

function versionView({ name, version, definition, createdAt }: WorkflowVersion): VersionView {
  return { name, version, definition: viewOf(definition), createdAt: createdAt.toISOString() };
}

/** The contract knows a workflow as objects; its own schema says more. */
function viewOf(definition: WorkflowDefinition): View['definition'] {
  return definition as unknown as View['definition'];
}

function hashOf(definition: WorkflowDefinition): string {
  return createHash('sha256').update(JSON.stringify(definition)).digest('hex');
}

function faultView({ path, message, code, line, column }: Fault): FaultView {
  return {
    ...{ path, message },
    ...(code === undefined ? {} : { code }),
    ...(line === undefined || column === undefined ? {} : { line, column }),
  };
}

function noWorkflow(): Problem {
  return new Problem('not_found', 'There is no such workflow');
}
