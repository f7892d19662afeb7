-- When an operator asked an instance to drain: it stays so, also when it was lost meanwhile.
ALTER TABLE "worker_instances" ADD COLUMN IF NOT EXISTS "drain_asked_at" TIMESTAMPTZ(3);
