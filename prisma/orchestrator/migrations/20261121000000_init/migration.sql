-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateTable
CREATE TABLE "clients" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "workflow" TEXT,
    "retention_days" INTEGER NOT NULL DEFAULT 30,
    "revision" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "clients_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "api_keys" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "client_id" UUID,
    "hash" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_used_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "api_keys_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "service_accounts" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "worker_type" TEXT NOT NULL,
    "allowed_clients" TEXT[],
    "blob_access" TEXT NOT NULL DEFAULT 'gateway',
    "hash" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_used_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "service_accounts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "workflows" (
    "name" TEXT NOT NULL,
    "latest_version" INTEGER NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "deleted_at" TIMESTAMPTZ(3),

    CONSTRAINT "workflows_pkey" PRIMARY KEY ("name")
);

-- CreateTable
CREATE TABLE "workflow_versions" (
    "id" UUID NOT NULL,
    "name" TEXT,
    "version" INTEGER,
    "hash" TEXT NOT NULL,
    "definition" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "workflow_versions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "plans" (
    "id" UUID NOT NULL,
    "hash" TEXT NOT NULL,
    "workflow_version_id" UUID NOT NULL,
    "steps" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "plans_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "plan_profiles" (
    "plan_id" UUID NOT NULL,
    "profile_id" UUID NOT NULL,
    "profile_revision" INTEGER NOT NULL,

    CONSTRAINT "plan_profiles_pkey" PRIMARY KEY ("plan_id","profile_id","profile_revision")
);

-- CreateTable
CREATE TABLE "worker_types" (
    "name" TEXT NOT NULL,
    "version" TEXT NOT NULL,
    "language" TEXT NOT NULL,
    "api_url" TEXT NOT NULL,
    "transport" TEXT NOT NULL,
    "owner_team" TEXT NOT NULL,
    "owner_contact" TEXT NOT NULL,
    "functions" JSONB NOT NULL,
    "offline" JSONB NOT NULL DEFAULT '{"policy":"wait","limitMs":86400000}',
    "free_clock_ms" BIGINT NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "worker_types_pkey" PRIMARY KEY ("name")
);

-- CreateTable
CREATE TABLE "worker_instances" (
    "id" UUID NOT NULL,
    "worker_type" TEXT NOT NULL,
    "instance" TEXT NOT NULL,
    "version" TEXT NOT NULL,
    "language" TEXT NOT NULL,
    "slots" INTEGER NOT NULL,
    "free_slots" INTEGER NOT NULL,
    "labels" JSONB NOT NULL DEFAULT '{}',
    "state" TEXT NOT NULL,
    "heartbeat_ms" INTEGER NOT NULL,
    "registered_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "worker_instances_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "job_holds" (
    "job_id" UUID NOT NULL,
    "attempt" INTEGER NOT NULL,
    "instance_id" UUID NOT NULL,
    "seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "job_holds_pkey" PRIMARY KEY ("job_id","attempt")
);

-- CreateTable
CREATE TABLE "profiles" (
    "worker_type" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "function" TEXT NOT NULL,
    "revision" INTEGER NOT NULL,
    "schema_hash" TEXT NOT NULL DEFAULT '',
    "alias_of" TEXT,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "deleted_at" TIMESTAMPTZ(3),

    CONSTRAINT "profiles_pkey" PRIMARY KEY ("worker_type","id")
);

-- CreateTable
CREATE TABLE "orders" (
    "id" UUID NOT NULL,
    "client_id" UUID NOT NULL,
    "plan_id" UUID NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'accepted',
    "epoch" INTEGER NOT NULL DEFAULT 1,
    "version" INTEGER NOT NULL DEFAULT 0,
    "progress" JSONB NOT NULL DEFAULT '{}',
    "input" JSONB NOT NULL,
    "params" JSONB NOT NULL DEFAULT '{}',
    "result" JSONB,
    "error" JSONB,
    "parent_job_id" UUID,
    "created_by" TEXT NOT NULL,
    "traceparent" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "orders_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "jobs" (
    "id" UUID NOT NULL,
    "order_id" UUID NOT NULL,
    "step" TEXT NOT NULL,
    "item" INTEGER NOT NULL DEFAULT 0,
    "worker_type" TEXT NOT NULL,
    "function" TEXT NOT NULL,
    "profile_id" UUID NOT NULL,
    "profile_revision" INTEGER NOT NULL,
    "state" TEXT NOT NULL,
    "attempt" INTEGER NOT NULL,
    "lost" INTEGER NOT NULL DEFAULT 0,
    "failed" INTEGER NOT NULL DEFAULT 0,
    "input" JSONB NOT NULL,
    "result" JSONB,
    "error" JSONB,
    "context" JSONB,
    "progress" REAL,
    "instance" TEXT,
    "start_clock_ms" BIGINT,
    "not_before" TIMESTAMPTZ(3),
    "complete_by" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "invoked_at" TIMESTAMPTZ(3),
    "queued_at" TIMESTAMPTZ(3),
    "started_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "jobs_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "order_events" (
    "order_id" UUID NOT NULL,
    "seq" INTEGER NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "events" JSONB NOT NULL,

    CONSTRAINT "order_events_pkey" PRIMARY KEY ("order_id","seq")
);

-- CreateTable
CREATE TABLE "late_reports" (
    "id" BIGSERIAL NOT NULL,
    "order_id" UUID NOT NULL,
    "job_id" UUID NOT NULL,
    "attempt" INTEGER NOT NULL,
    "instance" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "report" JSONB NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "late_reports_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "blobs" (
    "id" UUID NOT NULL,
    "owner_client_id" UUID,
    "job_id" UUID,
    "state" TEXT NOT NULL,
    "media_type" TEXT NOT NULL,
    "size" BIGINT NOT NULL,
    "sha256" TEXT,
    "file_name" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3),

    CONSTRAINT "blobs_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "uploads" (
    "blob_id" UUID NOT NULL,
    "offset" BIGINT NOT NULL DEFAULT 0,
    "length" BIGINT,
    "blocks" TEXT[],
    "metadata" JSONB NOT NULL DEFAULT '{}',
    "checksum" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "uploads_pkey" PRIMARY KEY ("blob_id")
);

-- CreateTable
CREATE TABLE "idempotency_keys" (
    "scope" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "body_hash" TEXT NOT NULL,
    "answer" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "idempotency_keys_pkey" PRIMARY KEY ("scope","key")
);

-- CreateIndex
CREATE UNIQUE INDEX "clients_name_key" ON "clients"("name");

-- CreateIndex
CREATE UNIQUE INDEX "api_keys_hash_key" ON "api_keys"("hash");

-- CreateIndex
CREATE UNIQUE INDEX "service_accounts_name_key" ON "service_accounts"("name");

-- CreateIndex
CREATE UNIQUE INDEX "service_accounts_hash_key" ON "service_accounts"("hash");

-- CreateIndex
CREATE UNIQUE INDEX "workflow_versions_name_version_key" ON "workflow_versions"("name", "version");

-- CreateIndex
CREATE UNIQUE INDEX "workflow_versions_anonymous_key" ON "workflow_versions"("hash") WHERE (name IS NULL);

-- CreateIndex
CREATE UNIQUE INDEX "plans_hash_key" ON "plans"("hash");

-- CreateIndex
CREATE INDEX "plan_profiles_profile_id_profile_revision_idx" ON "plan_profiles"("profile_id", "profile_revision");

-- CreateIndex
CREATE INDEX "worker_instances_worker_type_state_idx" ON "worker_instances"("worker_type", "state");

-- CreateIndex
CREATE INDEX "worker_instances_worker_type_instance_idx" ON "worker_instances"("worker_type", "instance");

-- CreateIndex
CREATE INDEX "job_holds_seen_at_idx" ON "job_holds"("seen_at");

-- CreateIndex
CREATE UNIQUE INDEX "profiles_live_name_key" ON "profiles"("worker_type", "name") WHERE (deleted_at IS NULL);

-- CreateIndex
CREATE INDEX "orders_client_id_id_idx" ON "orders"("client_id", "id");

-- CreateIndex
CREATE INDEX "orders_accepted" ON "orders"("id") WHERE (state = 'accepted');

-- CreateIndex
CREATE INDEX "orders_active" ON "orders"("id") WHERE (state = 'active');

-- CreateIndex
CREATE INDEX "orders_parent_job_id_idx" ON "orders"("parent_job_id") WHERE (parent_job_id IS NOT NULL);

-- CreateIndex
CREATE INDEX "orders_plan_id_idx" ON "orders"("plan_id");

-- CreateIndex
CREATE INDEX "jobs_open" ON "jobs"("worker_type", "state") WHERE (state IN ('pending', 'invoked', 'queued', 'started'));

-- CreateIndex
CREATE UNIQUE INDEX "jobs_order_id_step_item_key" ON "jobs"("order_id", "step", "item");

-- CreateIndex
CREATE INDEX "late_reports_job_id_idx" ON "late_reports"("job_id");

-- CreateIndex
CREATE INDEX "blobs_owner_client_id_id_idx" ON "blobs"("owner_client_id", "id");

-- CreateIndex
CREATE INDEX "blobs_job_id_idx" ON "blobs"("job_id") WHERE (job_id IS NOT NULL);

-- CreateIndex
CREATE INDEX "blobs_expires_at_idx" ON "blobs"("expires_at") WHERE (expires_at IS NOT NULL);

-- CreateIndex
CREATE INDEX "idempotency_keys_created_at_idx" ON "idempotency_keys"("created_at");

-- AddForeignKey
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_client_id_fkey" FOREIGN KEY ("client_id") REFERENCES "clients"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "plans" ADD CONSTRAINT "plans_workflow_version_id_fkey" FOREIGN KEY ("workflow_version_id") REFERENCES "workflow_versions"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "plan_profiles" ADD CONSTRAINT "plan_profiles_plan_id_fkey" FOREIGN KEY ("plan_id") REFERENCES "plans"("id") ON DELETE CASCADE ON UPDATE CASCADE;


