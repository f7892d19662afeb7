-- AlterTable
ALTER TABLE "worker_types" ADD COLUMN     "compatibility" TEXT NOT NULL DEFAULT 'warn';

-- CreateTable
CREATE TABLE "worker_tasks" (
    "worker_type" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "profile" TEXT,
    "upstream" JSONB NOT NULL DEFAULT '[]',
    "cron" TEXT,
    "time_zone" TEXT,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "worker_tasks_pkey" PRIMARY KEY ("worker_type","name")
);

-- CreateIndex
CREATE INDEX "jobs_last_runs" ON "jobs"("profile_id", "finished_at") WHERE (state = 'completed');
