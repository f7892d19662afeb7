-- Deliveries that their worker gave back because it had to stop: they count neither as failed nor as lost.
ALTER TABLE "jobs" ADD COLUMN IF NOT EXISTS "handed_back" INTEGER NOT NULL DEFAULT 0;
