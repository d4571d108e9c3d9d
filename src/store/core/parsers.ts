import pg from "pg";

type Parser = (text: string) => unknown;
const usual = pg.types.getTypeParser as (oid: number, format?: "text" | "binary") => Parser;
const textArray = usual(1009);
const timestamp = usual(pg.types.builtins.TIMESTAMPTZ);
const utc = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?\+00$/;

/**
 * pg's own parsers of arrays and times are slow for the values in our rows. Every bigint is below 2^53. A day has no
 * time zone, so it stays "YYYY-MM-DD".
 */
const parsers = new Map<number, Parser>([
  [pg.types.builtins.INT8, Number],
  [1016, (text) => (text === "{}" ? [] : text.slice(1, -1).split(",").map(Number))],
  [pg.types.builtins.DATE, String],
  [1182, textArray],
  [1009, (text) => (text === "{}" ? [] : /["\\]|NULL/.test(text) ? textArray(text) : text.slice(1, -1).split(","))],
  [
    pg.types.builtins.TIMESTAMPTZ,
    (text) => (utc.test(text) ? new Date(`${text.slice(0, 10)}T${text.slice(11, -3)}Z`) : timestamp(text)),
  ],
  [pg.types.builtins.JSON, JSON.parse],
  [pg.types.builtins.JSONB, JSON.parse],
]);

/** How values of the database are turned into JavaScript's. */
export const types = {
  getTypeParser: (oid: number, format?: "text" | "binary") => parsers.get(oid) ?? usual(oid, format),
} as pg.CustomTypesConfig;
