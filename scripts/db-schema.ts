import { writeFile } from "node:fs/promises";
import { onMigrated } from "./migrated.ts";
import { dumpSchema, schemaFile, withTitle } from "./schema-dump.ts";

/** Writes migrations/schema.sql: the schema that the migrations make in an empty database. */
await onMigrated(async (database) => writeFile(schemaFile, withTitle(await dumpSchema(database))));
