import type { ClientId, JobError, OrderId, OrderState, Progress } from '@connecta/contracts';
import { Prisma } from '../generated/prisma/client.ts';
import type { Store } from '../store.ts';

export interface OrderFilter {
  clientId?: ClientId | undefined;
  states?: readonly OrderState[] | undefined;
  /** A named workflow, any version. */
  workflow?: string | undefined;
  createdAfter?: Date | undefined;
  createdBefore?: Date | undefined;
  /** Only orders before this one in the list. */
  before?: OrderId | undefined;
  limit: number;
}

export interface ListedOrder {
  id: OrderId;
  clientName: string;
  state: OrderState;
  progress: Progress;
  error: JobError | null;
  createdBy: string;
  createdAt: Date;
  finishedAt: Date | null;
  workflowName: string | null;
  workflowVersion: number | null;
  /** Of an order that was placed as a list of tasks. */
  tasks: string[] | null;
}

/** Orders, newest first. */
export async function listOrders(store: Store, filter: OrderFilter): Promise<ListedOrder[]> {
  const { clientId, states, workflow, createdAfter, createdBefore, before } = filter;
  const where = [
    Prisma.sql`true`,
    ...(clientId === undefined ? [] : [Prisma.sql`o.client_id = ${clientId}::uuid`]),
    ...(states === undefined ? [] : [Prisma.sql`o.state IN (${Prisma.join([...states])})`]),
    ...(workflow === undefined ? [] : [Prisma.sql`w.name = ${workflow}`]),
    ...(createdAfter === undefined ? [] : [Prisma.sql`o.created_at > ${createdAfter}`]),
    ...(createdBefore === undefined ? [] : [Prisma.sql`o.created_at < ${createdBefore}`]),
    ...(before === undefined ? [] : [Prisma.sql`o.id < ${before}::uuid`]),
  ];
  return store.prisma.$queryRaw<ListedOrder[]>`
    SELECT o.id, c.name AS "clientName", o.state, o.progress, o.error, o.created_by AS "createdBy",
      o.created_at AS "createdAt", o.finished_at AS "finishedAt", w.name AS "workflowName",
      w.version AS "workflowVersion", w.definition->'tasks' AS tasks
    FROM orders o JOIN clients c ON c.id = o.client_id JOIN plans p ON p.id = o.plan_id
    JOIN workflow_versions w ON w.id = p.workflow_version_id
    WHERE ${Prisma.join(where, ' AND ')} ORDER BY o.id DESC LIMIT ${filter.limit}`;
}
