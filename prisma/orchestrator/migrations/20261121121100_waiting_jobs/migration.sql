-- Jobs that no worker runs: waits, orders of their own, heads of a list of items, values that are being resolved.
ALTER TABLE "jobs"
  ADD COLUMN "kind" TEXT NOT NULL DEFAULT 'task',
  ADD COLUMN "due_at" TIMESTAMPTZ(3),
  ADD COLUMN "outcome" TEXT,
  ADD COLUMN "decision" JSONB,
  ADD COLUMN "work" TEXT,
  ADD COLUMN "work_since" TIMESTAMPTZ(3),
  ADD COLUMN "item_key" TEXT,
  ADD COLUMN "items_total" INTEGER,
  ADD COLUMN "items_created" INTEGER,
  ADD COLUMN "items_done" INTEGER,
  ADD COLUMN "items_failed" INTEGER,
  ALTER COLUMN "worker_type" DROP NOT NULL,
  ALTER COLUMN "function" DROP NOT NULL,
  ALTER COLUMN "profile_id" DROP NOT NULL,
  ALTER COLUMN "profile_revision" DROP NOT NULL;

-- CreateIndex
CREATE INDEX "jobs_due" ON "jobs"("due_at") WHERE (state = 'waiting' AND due_at IS NOT NULL);

-- CreateIndex
CREATE INDEX "jobs_work" ON "jobs"("work_since") WHERE (work IS NOT NULL);

-- CreateIndex
CREATE INDEX "jobs_children" ON "jobs"("id") WHERE (state = 'waiting' AND kind = 'order');

-- CreateTable
CREATE TABLE "added_items" (
    "head_id" UUID NOT NULL,
    "item" INTEGER NOT NULL,
    "value" JSONB NOT NULL,
    "by_job_id" UUID NOT NULL,

    CONSTRAINT "added_items_pkey" PRIMARY KEY ("head_id","item")
);
