import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { testServices } from "../../test/support/jmap.ts";
import { createTestAccount, createTestStore, whereItLies } from "../../test/support/postgres.ts";
import { findBlob } from "../store/blobs/blob-refs.ts";
import { keepUploads } from "./uploads.ts";

/** Terminates the session within its first COMMIT. */
const trap = [
  "CREATE SEQUENCE IF NOT EXISTS commits",
  `CREATE OR REPLACE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
     IF nextval('commits') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
     RETURN NULL;
   END $$`,
  `CREATE CONSTRAINT TRIGGER die AFTER INSERT ON %s DEFERRABLE INITIALLY DEFERRED
     FOR EACH ROW EXECUTE FUNCTION die()`,
];

test("an upload is kept though the database is lost within the commit", async () => {
  const store = await createTestStore();
  const account = await createTestAccount(store);
  await whereItLies(store.database, "blob_ref", trap);
  const blob = { sha256: createHash("sha256").update("x").digest(), day: "2026-01-01", size: 1 };
  expect(await keepUploads(testServices(store), account, account, [blob])).toEqual(new Set([blob]));
  expect(await findBlob(store.reader(account, { userId: account }), blob.sha256)).toMatchObject({ size: 1 });
});
