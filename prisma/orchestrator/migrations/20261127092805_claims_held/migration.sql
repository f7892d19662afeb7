-- What an instance claimed and has not ended: looked through by each of its claims for what was revoked.
CREATE INDEX IF NOT EXISTS "job_claims_held" ON "job_claims"("instance_id") WHERE (ended_at IS NULL);
