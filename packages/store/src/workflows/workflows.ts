import { newId, type WorkflowDefinition } from '@connecta/contracts';
import { InUseError, NameTakenError } from '../clients/clients.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import { createOnce, isUniqueViolation, type IdempotentCreate } from '../idempotency/create-once.ts';
import type { Store } from '../store.ts';
import { assertWorkflowUnnamed } from './assert-workflow-unnamed.ts';

/** A named workflow at one of its versions. */
export interface Workflow {
  name: string;
  version: number;
  definition: WorkflowDefinition;
  createdAt: Date;
  updatedAt: Date;
}

export interface WorkflowVersion {
  name: string;
  version: number;
  definition: WorkflowDefinition;
  createdAt: Date;
}

export interface NewWorkflowVersion {
  name: string;
  definition: WorkflowDefinition;
  /** Of the content. */
  hash: string;
}

/** Workflows at their latest versions by name, from behind a name on. */
export async function listWorkflows(
  store: Store,
  page: { after: string | undefined; limit: number },
): Promise<Workflow[]> {
  return store.prisma.$queryRaw<Workflow[]>`
    SELECT w.name, v.version, v.definition, w.created_at AS "createdAt", w.updated_at AS "updatedAt"
    FROM workflows w JOIN workflow_versions v ON v.name = w.name AND v.version = w.latest_version
    WHERE w.deleted_at IS NULL AND w.name > ${page.after ?? ''} ORDER BY w.name LIMIT ${page.limit}`;
}

export async function findWorkflow(store: Store, name: string): Promise<Workflow | null> {
  const rows = await store.prisma.$queryRaw<Workflow[]>`
    SELECT w.name, v.version, v.definition, w.created_at AS "createdAt", w.updated_at AS "updatedAt"
    FROM workflows w JOIN workflow_versions v ON v.name = w.name AND v.version = w.latest_version
    WHERE w.deleted_at IS NULL AND w.name = ${name}`;
  return rows[0] ?? null;
}

/** All versions, newest first, also of a deleted workflow. */
export async function listWorkflowVersions(
  store: Store,
  page: { name: string; before: number | undefined; limit: number },
): Promise<WorkflowVersion[]> {
  const rows = await store.prisma.workflowVersion.findMany({
    where: { name: page.name, ...(page.before === undefined ? {} : { version: { lt: page.before } }) },
    orderBy: { version: 'desc' },
    take: page.limit,
  });
  return rows.map(toVersion);
}

export async function findWorkflowVersion(
  store: Store,
  { name, version }: { name: string; version: number },
): Promise<WorkflowVersion | null> {
  const row = await store.prisma.workflowVersion.findUnique({ where: { name_version: { name, version } } });
  return row && toVersion(row);
}

/** A deleted workflow's name can be used again: its versions go on counting. @throws NameTakenError */
export async function createWorkflow(
  store: Store,
  written: NewWorkflowVersion,
  idempotency?: IdempotentCreate,
): Promise<{ workflow: Workflow; repeated: boolean }> {
  const { name } = written;
  try {
    const { made, repeated } = await createOnce(store, idempotency, {
      create: async (tx) => {
        const existing = await lockWorkflow(tx, name);
        if (existing && !existing.deletedAt) throw new NameTakenError(name);
        return writeVersion(tx, written, (existing?.latestVersion ?? 0) + 1);
      },
      idOf: (workflow) => workflow.name,
      find: (found) => findWorkflow(store, found),
    });
    return { workflow: made, repeated };
  } catch (error) {
    throw isUniqueViolation(error) ? new NameTakenError(name, { cause: error }) : error;
  }
}

/**
 * Writes a further version under the workflow's row lock; unchanged content keeps its version. `check` throws when the
 * latest version is not the expected one. Null: there is no such workflow.
 */
export function replaceWorkflow(
  store: Store,
  { written, check }: { written: NewWorkflowVersion; check: (version: number) => void },
): Promise<Workflow | null> {
  return store.prisma.$transaction(async (tx) => {
    const current = await lockWorkflow(tx, written.name);
    if (!current || current.deletedAt) return null;
    check(current.latestVersion);
    const latest = await tx.workflowVersion.findUniqueOrThrow({
      where: { name_version: { name: written.name, version: current.latestVersion } },
    });
    if (latest.hash === written.hash) {
      const { createdAt, updatedAt } = current;
      return { ...toVersion(latest), createdAt, updatedAt };
    }
    return writeVersion(tx, written, current.latestVersion + 1);
  });
}

/** Hides a workflow; its versions stay readable. False: there is none. @throws InUseError while something names it. */
export function deleteWorkflow(
  store: Store,
  { name, check }: { name: string; check: (version: number) => void },
): Promise<boolean> {
  return store.prisma.$transaction(async (tx) => {
    const current = await lockWorkflow(tx, name);
    if (!current || current.deletedAt) return false;
    check(current.latestVersion);
    if (await tx.client.findFirst({ where: { workflow: name }, select: { id: true } }))
      throw new InUseError('contracts');
    await assertWorkflowUnnamed(tx, name);
    await tx.workflow.update({ where: { name }, data: { deletedAt: new Date() } });
    return true;
  });
}

async function lockWorkflow(
  tx: Prisma.TransactionClient,
  name: string,
): Promise<Prisma.WorkflowGetPayload<object> | null> {
  await tx.$queryRaw`SELECT FROM workflows WHERE name = ${name} FOR UPDATE`;
  return tx.workflow.findUnique({ where: { name } });
}

async function writeVersion(
  tx: Prisma.TransactionClient,
  { name, definition, hash }: NewWorkflowVersion,
  version: number,
): Promise<Workflow> {
  const { createdAt, updatedAt } = await tx.workflow.upsert({
    where: { name },
    create: { name, latestVersion: version },
    update: { latestVersion: version, deletedAt: null },
  });
  const data = definition as unknown as Prisma.InputJsonObject;
  await tx.workflowVersion.create({ data: { id: newId(), name, version, hash, definition: data } });
  return { name, version, definition, createdAt, updatedAt };
}

function toVersion(row: Prisma.WorkflowVersionGetPayload<object>): WorkflowVersion {
  return {
    name: row.name ?? '',
    version: row.version ?? 0,
    definition: row.definition as unknown as WorkflowDefinition,
    createdAt: row.createdAt,
  };
}
