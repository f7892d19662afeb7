-- For the list of jobs that ended in error, newest first.
CREATE INDEX "jobs_errors" ON "jobs"("id") WHERE (state = 'error'::text);
