import type { Database } from "../src/store/core/database.ts";
import { unprepared } from "../src/store/core/sql.ts";

export const schemaFile = new URL("../migrations/schema.sql", import.meta.url);

const title = "-- What the numbered migrations make, by `npm run db:schema`: to be read, never edited or run.\n\n";
export const withTitle = (dump: string): string => title + dump;

/** The kinds of objects that a schema may have; any other is an error, not left out. */
const strangers = `
  SELECT format('relation of kind %s: %s', relkind, relname) AS sql FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind NOT IN ('r', 'i', 'S')
  UNION ALL SELECT 'type: ' || typname FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype IN ('d', 'e', 'r')
  UNION ALL SELECT 'trigger: ' || tgname FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL SELECT 'extension: ' || extname FROM pg_extension WHERE extname <> 'plpgsql'
  UNION ALL SELECT format('identity or generated column: %s.%s', attrelid::regclass, attname) FROM pg_attribute
    WHERE attidentity <> '' OR attgenerated <> ''`;

const functions = `
  SELECT rtrim(pg_get_functiondef(oid), E'\\n') || ';' AS sql FROM pg_proc WHERE pronamespace = 'public'::regnamespace
  ORDER BY proname`;

const sequences = `
  SELECT format('CREATE SEQUENCE %I AS %s START %s INCREMENT %s MINVALUE %s MAXVALUE %s CACHE %s;', sequencename,
    data_type, start_value, increment_by, min_value, max_value, cache_size) AS sql
  FROM pg_sequences WHERE schemaname = 'public' ORDER BY sequencename`;

const tables = `
  SELECT format(E'CREATE TABLE %I (\\n%s\\n)%s;', c.relname, concat_ws(E',\\n', l.columns, k.constraints),
    ' WITH (' || array_to_string(c.reloptions, ', ') || ')')
    || coalesce(E'\\n' || s.storages, '') || coalesce(E'\\n' || i.indexes, '') AS sql
  FROM pg_class c,
    LATERAL (
      SELECT string_agg(concat_ws(' ', '  ' || quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
        CASE WHEN a.attcollation <> t.typcollation THEN format('COLLATE %s', a.attcollation::regcollation) END,
        CASE WHEN a.attnotnull THEN 'NOT NULL' END,
        'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid)), E',\\n' ORDER BY a.attnum) AS columns
      FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
      LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) l,
    LATERAL (
      SELECT string_agg(format('  CONSTRAINT %I %s', n.conname, pg_get_constraintdef(n.oid)), E',\\n' ORDER BY n.contype <> 'p', n.conname)
        AS constraints
      FROM pg_constraint n WHERE n.conrelid = c.oid AND n.contype IN ('p', 'u', 'c', 'x')) k,
    LATERAL (
      SELECT string_agg(format('ALTER TABLE %I ALTER %I SET STORAGE %s;', c.relname, a.attname,
        CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END), E'\\n')
        AS storages
      FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attstorage <> t.typstorage) s,
    LATERAL (
      SELECT string_agg(pg_get_indexdef(x.indexrelid) || ';', E'\\n' ORDER BY x.indexrelid::regclass::text) AS indexes
      FROM pg_index x WHERE x.indrelid = c.oid AND NOT EXISTS (
        SELECT FROM pg_constraint n WHERE n.conindid = x.indexrelid AND n.contype IN ('p', 'u', 'x'))) i
  WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY c.relname`;

const foreignKeys = `
  SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s;', conrelid::regclass, conname, pg_get_constraintdef(oid)) AS sql
  FROM pg_constraint WHERE contype = 'f' ORDER BY conrelid::regclass::text, conname`;

/** The one function of Postgres whose cost we set. */
const prices = `
  SELECT format('ALTER FUNCTION pg_catalog.%s COST %s;', oid::regprocedure, procost) AS sql FROM pg_proc
  WHERE pronamespace = 'pg_catalog'::regnamespace AND proname = 'ts_match_vq'`;

/** The schema of a database as statements that make it, read from its catalogue: the same schema gives the same text. */
export async function dumpSchema(database: Database): Promise<string> {
  const list = async (query: string) => (await database.run(unprepared<{ sql: string }>(query))).map(({ sql }) => sql);
  const strange = await list(strangers);
  if (strange.length > 0) throw new Error(`the dump of the schema does not support ${strange.join(", ")}`);
  const parts: string[] = [];
  for (const query of [functions, sequences, tables, foreignKeys, prices]) parts.push(...(await list(query)));
  return `${parts.join("\n\n")}\n`;
}
