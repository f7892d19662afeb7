-- The version of a function that ran where it is not the one that was pinned, and those that each instance offers.
ALTER TABLE "jobs" ADD COLUMN IF NOT EXISTS "ran_version" TEXT;
ALTER TABLE "worker_instances" ADD COLUMN IF NOT EXISTS "functions" JSONB NOT NULL DEFAULT '{}';
