/** The price of `@@` as migration 000002 sets it: by the usual one, searches are planned badly. */
export const matchPrice = 800;
export const priceCommand = `ALTER FUNCTION pg_catalog.ts_match_vq(tsvector, tsquery) COST ${matchPrice}`;
