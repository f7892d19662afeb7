import { newId, type JsonValue } from '@connecta/contracts';
import type pg from 'pg';
import type { Prisma } from '../generated/prisma/client.ts';
import type { Store } from '../store.ts';

export const NOTICE_KINDS = ['job_failed', 'blocked', 'offline', 'channel_disabled'] as const;
export type NoticeKind = (typeof NOTICE_KINDS)[number];

/** Something that a team should know. */
export interface NewNotice {
  team: string;
  kind: NoticeKind;
  /** The same key again is the same news: counted, and not told again within the quiet time. */
  dedupKey: string;
  subject: { [name: string]: JsonValue };
}

/** News with how often it came in, and how much of that was told. */
export interface Notice extends NewNotice {
  id: string;
  count: number;
  toldCount: number;
  firstAt: Date;
  lastAt: Date;
  toldAt: Date | null;
}

/**
 * Notes news: new news is due at once, old news when `quietMs` have passed since it was told last. The notices of one
 * call must have different keys.
 */
export async function noteNotices(
  client: pg.ClientBase,
  notices: readonly (NewNotice & { count: number })[],
  quietMs: number,
): Promise<void> {
  if (notices.length === 0) return;
  const rows = notices.map((notice) => ({ id: newId(), ...notice }));
  await client.query({
    name: 'note_notices',
    text: `INSERT INTO notices AS n (id, team, kind, dedup_key, subject, count, due_at)
      SELECT x.id, x.team, x.kind, x."dedupKey", x.subject, x.count, now()
      FROM json_to_recordset($1::json) x(id uuid, team text, kind text, "dedupKey" text, subject jsonb, count int)
      ORDER BY x."dedupKey"
      ON CONFLICT (dedup_key) DO UPDATE SET count = n.count + excluded.count, subject = excluded.subject, last_at = now(),
        due_at = coalesce(n.due_at, greatest(now(), n.told_at + $2 * interval '1 millisecond'))`,
    values: [JSON.stringify(rows), quietMs],
  });
}

/** Takes notices that are to be told now and marks them as told, in the caller's transaction. */
export async function takeDueNotices(client: pg.ClientBase, limit: number): Promise<Notice[]> {
  const { rows } = await client.query<Notice>({
    name: 'take_due_notices',
    text: `WITH due AS (
        SELECT id, told_count FROM notices WHERE due_at <= now() ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
      UPDATE notices n SET told_count = n.count, told_at = now(), due_at = NULL FROM due WHERE n.id = due.id
      RETURNING n.id, n.team, n.kind, n.dedup_key AS "dedupKey", n.subject, n.count, due.told_count AS "toldCount",
        n.first_at AS "firstAt", n.last_at AS "lastAt", n.told_at AS "toldAt"`,
    values: [limit],
  });
  return rows;
}

/** Notices, newest first, from before an id on. */
export async function listNotices(
  store: Store,
  page: { team?: string | undefined; before: string | undefined; limit: number },
): Promise<Notice[]> {
  const rows = await store.prisma.notice.findMany({
    where: {
      ...(page.team === undefined ? {} : { team: page.team }),
      ...(page.before === undefined ? {} : { id: { lt: page.before } }),
    },
    orderBy: { id: 'desc' },
    take: page.limit,
  });
  return rows.map(toNotice);
}

/** Forgets notices that nobody added to for `olderThanMs`: the same news is new again then. */
export async function forgetOldNotices(store: Store, olderThanMs: number, limit: number): Promise<number> {
  const { rowCount } = await store.pool.query(
    `DELETE FROM notices WHERE id IN (SELECT id FROM notices
       WHERE last_at < now() - $1 * interval '1 millisecond' AND due_at IS NULL LIMIT $2)`,
    [olderThanMs, limit],
  );
  return rowCount ?? 0;
}

function toNotice(row: Prisma.NoticeGetPayload<object>): Notice {
  return { ...row, kind: row.kind as NoticeKind, subject: row.subject as Notice['subject'] };
}
