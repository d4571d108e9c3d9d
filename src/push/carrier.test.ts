import { describe } from "vitest";
import { carrierContract } from "../../test/support/contracts/carrier.ts";
import { createTestDatabase } from "../../test/support/postgres.ts";
import { silentLog } from "../base/log.ts";
import { PostgresCarrier } from "./postgres.ts";

const { database } = await createTestDatabase();

describe("PostgresCarrier", () => {
  carrierContract(() => new PostgresCarrier({ database, log: silentLog }));
});
