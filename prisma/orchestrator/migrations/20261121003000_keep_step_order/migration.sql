-- jsonb sorts the names of an object; people wrote their steps in an order that they want to see again.
ALTER TABLE "workflow_versions" ALTER COLUMN "definition" SET DATA TYPE json USING "definition"::json;
ALTER TABLE "plans" ALTER COLUMN "steps" SET DATA TYPE json USING "steps"::json;
