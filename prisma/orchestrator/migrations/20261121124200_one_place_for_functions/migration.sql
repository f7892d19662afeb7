-- AlterTable: versions and cacheability stand in "behaviour"
ALTER TABLE "worker_types" DROP COLUMN "function_facts";
