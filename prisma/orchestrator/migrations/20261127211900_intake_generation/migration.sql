-- Names the state of everything that intake keeps in memory. A transaction that changes some of it gives it a new name, so
-- whoever sees the one sees the other, and an insert of orders can say what it was decided by. A name, not a number: counted
-- on after a restore or a failover, a number would come back and mean something else.
CREATE TABLE IF NOT EXISTS "intake_generation" (
  "one" BOOLEAN NOT NULL DEFAULT true,
  "generation" UUID NOT NULL DEFAULT gen_random_uuid(),
  CONSTRAINT "intake_generation_pkey" PRIMARY KEY ("one"),
  CONSTRAINT "intake_generation_is_one" CHECK ("one")
);
INSERT INTO "intake_generation" DEFAULT VALUES ON CONFLICT DO NOTHING;

-- Once a transaction: what is set locally ends with it, or with the savepoint that is rolled back.
CREATE OR REPLACE FUNCTION "begin_intake_generation"() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('connecta.intake_generation', true) IS DISTINCT FROM 'begun' THEN
    INSERT INTO "intake_generation" AS g DEFAULT VALUES
      ON CONFLICT ("one") DO UPDATE SET "generation" = excluded."generation";
    PERFORM set_config('connecta.intake_generation', 'begun', true);
  END IF;
  RETURN NULL;
END
$$;

-- Deferred: the row is the last lock that a transaction takes, so nobody who holds it waits for anybody.
-- A fact is a row that exists and is not deleted. What is new was no fact before, and that something does not exist is
-- never kept: an insert counts only where a fact tells of it by absence, which is a worker type's behaviour.
DROP TRIGGER IF EXISTS "intake_generation_update" ON "clients";
CREATE CONSTRAINT TRIGGER "intake_generation_update" AFTER UPDATE OF "id", "name", "workflow" ON "clients"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN ((OLD."id", OLD."name", OLD."workflow") IS DISTINCT FROM (NEW."id", NEW."name", NEW."workflow"))
  EXECUTE FUNCTION "begin_intake_generation"();
DROP TRIGGER IF EXISTS "intake_generation_delete" ON "clients";
CREATE CONSTRAINT TRIGGER "intake_generation_delete" AFTER DELETE ON "clients"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "begin_intake_generation"();

DROP TRIGGER IF EXISTS "intake_generation_update" ON "workflows";
CREATE CONSTRAINT TRIGGER "intake_generation_update" AFTER UPDATE OF "name", "latest_version", "deleted_at" ON "workflows"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (OLD."deleted_at" IS NULL AND (OLD."name", OLD."latest_version", OLD."deleted_at")
    IS DISTINCT FROM (NEW."name", NEW."latest_version", NEW."deleted_at"))
  EXECUTE FUNCTION "begin_intake_generation"();
DROP TRIGGER IF EXISTS "intake_generation_delete" ON "workflows";
CREATE CONSTRAINT TRIGGER "intake_generation_delete" AFTER DELETE ON "workflows"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD."deleted_at" IS NULL)
  EXECUTE FUNCTION "begin_intake_generation"();

DROP TRIGGER IF EXISTS "intake_generation_update" ON "workflow_versions";
CREATE CONSTRAINT TRIGGER "intake_generation_update" AFTER UPDATE OF "id", "name", "version" ON "workflow_versions"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (OLD."name" IS NOT NULL AND (OLD."id", OLD."name", OLD."version") IS DISTINCT FROM (NEW."id", NEW."name", NEW."version"))
  EXECUTE FUNCTION "begin_intake_generation"();
DROP TRIGGER IF EXISTS "intake_generation_delete" ON "workflow_versions";
CREATE CONSTRAINT TRIGGER "intake_generation_delete" AFTER DELETE ON "workflow_versions"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD."name" IS NOT NULL)
  EXECUTE FUNCTION "begin_intake_generation"();

DROP TRIGGER IF EXISTS "intake_generation_update" ON "profiles";
CREATE CONSTRAINT TRIGGER "intake_generation_update"
  AFTER UPDATE OF "worker_type", "id", "name", "function", "revision", "alias_of", "deleted_at" ON "profiles"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (OLD."deleted_at" IS NULL
    AND (OLD."worker_type", OLD."id", OLD."name", OLD."function", OLD."revision", OLD."alias_of", OLD."deleted_at")
    IS DISTINCT FROM
        (NEW."worker_type", NEW."id", NEW."name", NEW."function", NEW."revision", NEW."alias_of", NEW."deleted_at"))
  EXECUTE FUNCTION "begin_intake_generation"();
DROP TRIGGER IF EXISTS "intake_generation_delete" ON "profiles";
CREATE CONSTRAINT TRIGGER "intake_generation_delete" AFTER DELETE ON "profiles"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD."deleted_at" IS NULL)
  EXECUTE FUNCTION "begin_intake_generation"();

DROP TRIGGER IF EXISTS "intake_generation_update" ON "worker_types";
CREATE CONSTRAINT TRIGGER "intake_generation_update" AFTER UPDATE OF "name", "behaviour" ON "worker_types"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN ((OLD."name", OLD."behaviour") IS DISTINCT FROM (NEW."name", NEW."behaviour"))
  EXECUTE FUNCTION "begin_intake_generation"();
DROP TRIGGER IF EXISTS "intake_generation_insert_delete" ON "worker_types";
CREATE CONSTRAINT TRIGGER "intake_generation_insert_delete" AFTER INSERT OR DELETE ON "worker_types"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "begin_intake_generation"();
