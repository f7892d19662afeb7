import {
  isId,
  type ClientId,
  type JobError,
  type OrderId,
  type OrderState,
  type ProfileId,
  type Progress,
} from '@connecta/contracts';
import { Prisma } from '../generated/prisma/client.ts';
import type { Store } from '../store.ts';

export interface OrderFilter {
  clientId?: ClientId | undefined;
  states?: readonly OrderState[] | undefined;
  /** A named workflow, any version. */
  workflow?: string | undefined;
  createdAfter?: Date | undefined;
  createdBefore?: Date | undefined;
  /** Only orders with a job that used one of these profiles, at this revision where one is given. */
  profiles?: { ids: readonly ProfileId[]; revision: number | undefined } | undefined;
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
  rerunOf: OrderId | null;
  /** With the filter `profiles`: what used it. */
  usedBy: { step: string; revision: number; jobs: number; items: number[] }[] | null;
}

/**
 * Orders, newest first. Each state is listed by itself: with several in one condition, or in a value, the planner walks
 * back through all finished orders for the few that are under way, which took 280 ms among a million.
 */
export async function listOrders(store: Store, filter: OrderFilter): Promise<ListedOrder[]> {
  const { states, limit } = filter;
  if (states === undefined) return store.prisma.$queryRaw<ListedOrder[]>(ordersWhere(filter, Prisma.sql`true`));
  const lists = [...new Set(states)].map((state) => Prisma.sql`(${ordersWhere(filter, IN_STATE[state])})`);
  return store.prisma.$queryRaw<ListedOrder[]>`
    SELECT * FROM (${Prisma.join(lists, ' UNION ALL ')}) listed ORDER BY id DESC LIMIT ${limit}`;
}

/** As the partial indexes on orders by id say it; the bulk of the orders is completed and needs none. */
const IN_STATE: Record<OrderState, Prisma.Sql> = {
  accepted: Prisma.sql`o.state = 'accepted'`,
  active: Prisma.sql`o.state = 'active'`,
  completed: Prisma.sql`o.state = 'completed'`,
  failed: Prisma.sql`o.state = 'failed'`,
  cancelled: Prisma.sql`o.state = 'cancelled'`,
};

function ordersWhere(filter: OrderFilter, inState: Prisma.Sql): Prisma.Sql {
  const { clientId, workflow, createdAfter, createdBefore, before, profiles } = filter;
  const where = [
    inState,
    ...(clientId === undefined ? [] : [Prisma.sql`o.client_id = ${clientId}::uuid`]),
    ...(workflow === undefined ? [] : [Prisma.sql`w.name = ${workflow}`]),
    ...(createdAfter === undefined ? [] : [Prisma.sql`o.created_at > ${createdAfter}`]),
    ...(createdBefore === undefined ? [] : [Prisma.sql`o.created_at < ${createdBefore}`]),
    ...(profiles === undefined
      ? []
      : [pinning(profiles), Prisma.sql`EXISTS (SELECT FROM jobs j WHERE ${usedIn(profiles)})`]),
    ...(before === undefined ? [] : [Prisma.sql`o.id < ${before}::uuid`]),
  ];
  return Prisma.sql`
    SELECT o.id, c.name AS "clientName", o.state, o.progress, o.error, o.created_by AS "createdBy",
      o.created_at AS "createdAt", o.finished_at AS "finishedAt", w.name AS "workflowName",
      w.version AS "workflowVersion", w.definition->'tasks' AS tasks,
      o.rerun_of AS "rerunOf", ${profiles === undefined ? Prisma.sql`NULL` : usedBy(profiles)} AS "usedBy"
    FROM orders o JOIN clients c ON c.id = o.client_id JOIN plans p ON p.id = o.plan_id
    JOIN workflow_versions w ON w.id = p.workflow_version_id
    WHERE ${Prisma.join(where, ' AND ')} ORDER BY o.id DESC LIMIT ${filter.limit}`;
}

type Used = NonNullable<OrderFilter['profiles']>;

/** The orders come from the plans that pin the profile, by index; a job says that it was used. */
function pinning({ ids, revision }: Used): Prisma.Sql {
  const of = revision === undefined ? Prisma.empty : Prisma.sql`AND pp.profile_revision = ${revision}`;
  return Prisma.sql`o.plan_id IN (SELECT pp.plan_id FROM plan_profiles pp WHERE pp.profile_id = ANY(${ids}::uuid[]) ${of})`;
}

function usedIn({ ids, revision }: Used): Prisma.Sql {
  const of = revision === undefined ? Prisma.empty : Prisma.sql`AND j.profile_revision = ${revision}`;
  return Prisma.sql`j.order_id = o.id AND j.profile_id = ANY(${ids}::uuid[]) ${of}`;
}

function usedBy(used: Used): Prisma.Sql {
  return Prisma.sql`(SELECT json_agg(json_build_object('step', u.step, 'revision', u.revision, 'jobs', u.jobs,
      'items', coalesce(to_json(u.items[1:20]), '[]')) ORDER BY u.first)
    FROM (SELECT j.step, j.profile_revision AS revision, count(*)::int AS jobs, min(j.id::text) AS first,
        array_agg(j.item ORDER BY j.item) FILTER (WHERE j.item > 0) AS items
      FROM jobs j WHERE ${usedIn(used)} GROUP BY j.step, j.profile_revision) u)`;
}

/** The profiles that a task leads, or has led, to; or the one with this id. */
export async function findProfileIds(store: Store, profile: string): Promise<ProfileId[]> {
  if (isId(profile)) return [profile as ProfileId];
  const [workerType = '', name = ''] = profile.split('/');
  const rows = await store.prisma.profile.findMany({ where: { workerType, name }, select: { id: true } });
  return rows.map(({ id }) => id as ProfileId);
}
