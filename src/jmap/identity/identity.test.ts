import { expect, test } from "vitest";
import { TestClient, testLogin, testServices } from "../../../test/support/jmap.ts";
import { createTestAccount, createTestStore } from "../../../test/support/postgres.ts";
import { methods } from "../methods.ts";

test("a NUL, which the database cannot store, is refused in every property", async () => {
  const store = await createTestStore();
  const client = new TestClient(methods, testServices(store), testLogin([await createTestAccount(store)]));
  const texts = ["name", "textSignature", "htmlSignature"].map((property) => [property, "a\0b"] as const);
  const addresses = ["replyTo", "bcc"].map((property) => [property, [{ name: "a\0b", email: "a@b.test" }]] as const);
  for (const [property, value] of [...texts, ...addresses]) {
    const create = { k: { email: "a@b.test", [property]: value } };
    expect(await client.call("Identity/set", { create })).toMatchObject({
      notCreated: { k: { type: "invalidProperties", properties: [property] } },
    });
  }
});
