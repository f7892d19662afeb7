import { LOG_LIMITS, boundedLine, type JobId, type LogLine } from '@connecta/contracts';
import type { Store } from '../store.ts';
import { inTransaction } from '../workers/transaction.ts';

/** Lines of one attempt, numbered from `first` on (the attempt's first line is number 1). */
export interface LogBatch {
  jobId: JobId;
  attempt: number;
  first: number;
  lines: readonly LogLine[];
}

export interface LogKept {
  /** The number of the line to go on with. */
  next: number;
  /** Nothing more of this attempt is kept. */
  full: boolean;
}

interface Head {
  next: number;
  lines: number;
  bytes: number;
  full: boolean;
}

/** The last line of a log that is full. */
const FULL = `the log is full: an attempt's log has ${LOG_LIMITS.lines} lines and ${LOG_LIMITS.bytes} bytes at most`;

/**
 * Keeps lines of an attempt up to its limits; lines that it has already are passed over, so a batch may be sent again.
 * Null when there is no such attempt of a job.
 */
export function appendJobLog(store: Store, { jobId, attempt, first, lines }: LogBatch): Promise<LogKept | null> {
  return inTransaction(store, async (client) => {
    await client.query({
      name: 'lock_job_log',
      text: `SELECT pg_advisory_xact_lock(hashtextextended('connecta job log ' || $1 || ' ' || $2, 0))`,
      values: [jobId, String(attempt)],
    });
    const { rows } = await client.query<Head>({
      name: 'read_job_log_head',
      text: `SELECT coalesce(max(l.first + l.count), 1)::int AS next, coalesce(sum(l.count), 0)::int AS lines,
          coalesce(sum(l.bytes), 0)::int AS bytes, coalesce(bool_or(l."full"), false) AS full
        FROM jobs j LEFT JOIN job_logs l ON l.job_id = j.id AND l.attempt = $2
        WHERE j.id = $1 AND j.attempt >= $2 GROUP BY j.id`,
      values: [jobId, attempt],
    });
    const [head] = rows;
    if (!head) return null;
    const fresh = lines.slice(Math.max(0, head.next - first));
    const from = Math.max(first, head.next);
    if (head.full || fresh.length === 0) return { next: Math.max(head.next, first + lines.length), full: head.full };
    const fitting = fit(fresh, head);
    await client.query({
      name: 'append_job_log',
      text: `INSERT INTO job_logs (job_id, attempt, first, count, bytes, "full", lines) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      values: [jobId, attempt, from, fitting.texts.length, fitting.bytes, fitting.full, `[${fitting.texts.join(',')}]`],
    });
    return { next: from + fitting.texts.length, full: fitting.full };
  });
}

/** As many lines as there is room for; when some are left over, a line that says so stands in their place. */
function fit(lines: readonly LogLine[], head: Head): { texts: string[]; bytes: number; full: boolean } {
  const texts: string[] = [];
  let bytes = 0;
  for (const line of lines) {
    const text = JSON.stringify(boundedLine(line));
    const size = Buffer.byteLength(text);
    if (head.lines + texts.length + 1 >= LOG_LIMITS.lines || head.bytes + bytes + size > LOG_LIMITS.bytes) {
      texts.push(JSON.stringify({ at: line.at, level: 'warn', message: FULL } satisfies LogLine));
      return { texts, bytes, full: true };
    }
    texts.push(text);
    bytes += size;
  }
  return { texts, bytes, full: false };
}
