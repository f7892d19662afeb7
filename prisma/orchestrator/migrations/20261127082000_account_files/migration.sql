-- Which service accounts may name files of legacy shares; so far every one might, and the legacy worker type still may.
ALTER TABLE "service_accounts" ADD COLUMN IF NOT EXISTS "may_name_files" BOOLEAN NOT NULL DEFAULT false;
UPDATE "service_accounts" SET "may_name_files" = true WHERE "worker_type" = 'cu';
