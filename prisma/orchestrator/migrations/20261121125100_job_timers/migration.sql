-- Timers and failure by function and step. Each sweep of the timers gets an index that holds what it looks for in its
-- order: they run twice a second, also with a hundred thousand jobs in the queues.
ALTER TABLE "jobs" ADD COLUMN "crashed" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "jobs" ADD COLUMN "timers" JSONB;
ALTER TABLE "jobs" ADD COLUMN "give_up_at" TIMESTAMPTZ(3);
ALTER TABLE "jobs" RENAME COLUMN "start_clock_ms" TO "start_by_clock_ms";
UPDATE "jobs" SET "start_by_clock_ms" = "start_by_clock_ms" + 600000 WHERE "state" = 'queued';

DROP INDEX "jobs_open";
CREATE INDEX "jobs_open" ON "jobs"("worker_type", "state", "invoked_at") WHERE (state = ANY (ARRAY['pending'::text, 'invoked'::text, 'queued'::text, 'started'::text]));
CREATE INDEX "jobs_backoff" ON "jobs"("not_before") WHERE (state = 'pending');
CREATE INDEX "jobs_start_by" ON "jobs"("worker_type", "start_by_clock_ms") WHERE (state = 'queued');
CREATE INDEX "jobs_complete_by" ON "jobs"("complete_by") WHERE (state = 'started');
CREATE INDEX "jobs_give_up" ON "jobs"("worker_type", "give_up_at") WHERE (give_up_at IS NOT NULL AND state = ANY (ARRAY['invoked'::text, 'queued'::text]));
