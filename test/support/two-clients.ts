import { one } from "../../conformance/client/client.ts";
import type { GetResult } from "../../conformance/client/types.ts";
import { encodeId, idPrefix } from "../../src/base/ids.ts";
import { methods } from "../../src/jmap/methods.ts";
import { prepareMessage } from "../../src/mail/deliver/prepare.ts";
import { findMailboxes } from "../../src/store/mail/mailbox-places.ts";
import { afterwards } from "./afterwards.ts";
import { TestClient, testLogin, testServices } from "./jmap.ts";
import { createMailServices } from "./mail.ts";
import { isMix, startMix } from "./mix.ts";
import { createTestAccount, createTestStore } from "./postgres.ts";

type Json = Record<string, unknown>;

export interface Place {
  mailboxIds: string[];
  keywords: string[];
  receivedAt: Date;
}

/** A new account, and how its clients reach it. */
export interface Account {
  mailboxIds: string[];
  inbox: string;
  /** Makes one call; an error's arguments are its answer. */
  call(name: string, args: Json): Promise<Json>;
  add(message: Buffer, place: Place): Promise<void>;
}

/** In this process, or over HTTP: then one process of the fleet answers after the other. */
export const openAccount = (): Promise<Account> => (isMix ? openInFleet() : openHere());

async function openHere(): Promise<Account> {
  const store = await createTestStore();
  const account = await createTestAccount(store);
  const mail = createMailServices(store);
  const client = new TestClient(methods, testServices(store, mail), testLogin([account]));
  const places = await findMailboxes(store.reader(account, "server"));
  const numbers = new Map(places.map(({ id }) => [encodeId(idPrefix.mailbox, id), id]));
  return {
    mailboxIds: [...numbers.keys()],
    inbox: encodeId(idPrefix.mailbox, places.find(({ role }) => role === "inbox")!.id),
    call: (name, args) => client.call(name, args),
    add: async (message, { mailboxIds, ...rest }) => {
      const target = { mailboxIds: mailboxIds.map((id) => numbers.get(id)!) };
      const blob = await mail.blobs.put(message);
      await mail.ingest.add(account, { blob, prepared: prepareMessage(message), target, ...rest });
    },
  };
}

async function openInFleet(): Promise<Account> {
  const fleet = await startMix({ env: { POSTHORN_DEMO: "false", POSTHORN_MAX_CONCURRENT_REQUESTS: "64" } });
  afterwards(() => fleet.dispose());
  await fleet.addAccount("ann@home.test", "correct horse");
  const client = await fleet.login("ann@home.test", "correct horse");
  const { accountId } = client;
  const { list } = await one<GetResult<{ id: string; role: string }>>(client, "Mailbox/get", {});
  const call = async (name: string, args: Json) => (await client.call([[name, { accountId, ...args }, "0"]]))[0]![1];
  return {
    mailboxIds: list.map(({ id }) => id),
    inbox: list.find(({ role }) => role === "inbox")!.id,
    call,
    add: async (message, { mailboxIds, keywords, receivedAt }) => {
      const { blobId } = await client.upload(message, "message/rfc822");
      const all = (names: string[]) => Object.fromEntries(names.map((name) => [name, true]));
      const email = {
        blobId,
        mailboxIds: all(mailboxIds),
        keywords: all(keywords),
        // RFC 8620 §1.4: without a fraction that is zero.
        receivedAt: receivedAt.toISOString().replace(".000", ""),
      };
      const { created, ...rest } = await call("Email/import", { emails: { a: email } });
      if (!created) throw new Error(JSON.stringify(rest));
    },
  };
}
