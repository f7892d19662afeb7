import type { JsonValue, OrderId, OrderState, ProblemDocument, ScheduleId } from '@connecta/contracts';
import type { MissedPolicy, OverlapPolicy, TickKind } from '@connecta/domain';

/** When a schedule fires, as its author wrote it. */
export type WrittenTimes = { cron: string; timeZone: string } | { every: string; anchor: string };

/** What people say of a schedule. */
export interface ScheduleContent {
  name: string;
  description: string | null;
  times: WrittenTimes;
  /** The order's request, with its `client`, or with a `task` to invoke. */
  order: { [member: string]: JsonValue };
  overlap: OverlapPolicy;
  missed: MissedPolicy;
  maxCatchUp: number;
  paused: boolean;
}

export interface Schedule extends ScheduleContent {
  id: ScheduleId;
  /** The worker type whose declared task made it. */
  owner: string | null;
  /** The next slot to look at. */
  nextAt: Date | null;
  /** Why the last slot could not be fired. */
  problem: ProblemDocument | null;
  revision: number;
  createdBy: string;
  createdAt: Date;
  updatedAt: Date;
}

export type TickState = 'fired' | 'skipped' | 'missed' | 'queued' | 'replaced' | 'failed';

/** What became of one slot. */
export interface ScheduleTick {
  slot: Date;
  kind: TickKind | 'manual' | 'backfill';
  state: TickState;
  orderId: OrderId | null;
  orderState: OrderState | null;
  reason: string | null;
  problem: ProblemDocument | null;
  /** When it was decided. */
  at: Date;
}

/** The columns of a schedule under the names of {@link Schedule}. */
export const SCHEDULE_COLUMNS = `s.id, s.name, s.description, s.times, s."order", s.overlap, s.missed,
  s.max_catch_up AS "maxCatchUp", s.paused, s.owner, s.next_at AS "nextAt", s.problem, s.revision,
  s.created_by AS "createdBy", s.created_at AS "createdAt", s.updated_at AS "updatedAt"`;
