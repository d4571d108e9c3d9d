import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { afterwards } from "../../../test/support/afterwards.ts";
import { TestClient, testLogin, testServices } from "../../../test/support/jmap.ts";
import { createMailServices } from "../../../test/support/mail.ts";
import { portraitOf } from "../../../test/support/portrait.ts";
import { createTestAccount, createTestStore } from "../../../test/support/postgres.ts";
import { scaled } from "../../../test/support/scale.ts";
import { decodeId, idPrefix } from "../../base/ids.ts";
import { silentLog } from "../../base/log.ts";
import { accountObjects } from "../../jmap/account-objects.ts";
import { methods } from "../../jmap/methods.ts";
import { prepareMessage } from "../../mail/deliver/prepare.ts";
import { Blobs } from "../../store/blobs/blobs.ts";
import type { Store } from "../../store/core/store.ts";
import { auditBefore } from "../../store/directory/audit.ts";
import { addDomain } from "../../store/directory/directory.ts";
import { restoreMaskedAddresses } from "../../store/directory/masked-addresses.ts";
import { loadMailboxes } from "../../store/mail/mailboxes.ts";
import { insertPastSubmissions } from "../../store/queues/archived-submissions.ts";
import { importArchive } from "../import/archive/restore.ts";
import { exportArchive } from "./export-account.ts";
import { openArchive } from "./open-archive.ts";
import { FolderSink, TarSink } from "./sink.ts";
import { verifyArchive } from "./verify.ts";

type Json = Record<string, unknown>;

/** An installation of its own. */
interface World {
  store: Store;
  mail: ReturnType<typeof createMailServices>;
}

let here: World;
let there: World;
const folder = mkdtempSync(join(tmpdir(), "posthorn-archive-"));
afterwards(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;

beforeAll(async () => {
  [here, there] = (await Promise.all([0, 1].map(open))) as [World, World];
});

async function open(): Promise<World> {
  const store = await createTestStore();
  await addDomain(store, { name: "example.com", dkimSelector: "s", dkimKey: "k" });
  return { store, mail: createMailServices(store) };
}

const adminOf = ({ store }: World) => ({
  store,
  bus: { publish: () => {} },
  random: randomBytes,
  log: silentLog,
  who: "tester",
});

async function account({ store, mail }: World, address: string) {
  const id = await createTestAccount(store, address);
  const client = new TestClient(methods, testServices(store, mail), testLogin([id], { login: address }));
  const ask = async (name: string, args: Json) => {
    const answer = await client.call(name, args);
    expect(answer.type, JSON.stringify(answer)).toBeUndefined();
    return answer;
  };
  return { id, address, ask };
}
type Account = Awaited<ReturnType<typeof account>>;

/** Numbers below `below` that follow from the seed. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return Math.floor((state / 2147483648) * below);
  };
}

/** Fills an account with all that an archive has, by the seed. */
async function fill(world: World, { id, address, ask }: Account, seed: number): Promise<void> {
  const random = randomFrom(seed);
  const some = <T>(all: readonly T[]) => all.filter(() => random(3) === 0);
  const boxes = (await ask("Mailbox/get", { ids: null })).list as Json[];
  const create = {
    a: { name: `Töpfe ${seed}`, sortOrder: random(3) },
    b: { name: "below", parentId: "#a", isSubscribed: false },
    c: { name: "Inbox", parentId: "#b" },
  };
  await ask("Mailbox/set", { create });
  const archive = boxes.find(({ role }) => role === "archive")!.id as string;
  if (random(2) === 0) await ask("Mailbox/set", { destroy: [archive] });
  else await ask("Mailbox/set", { update: { [archive]: { name: "Ablage", role: null, sortOrder: 3 } } });
  const places = (await loadMailboxes(world.store.reader(id, "server"))).map((row) => row.id);
  const bodies: Buffer[] = [];
  for (let n = 0; n < 4 + random(12); n++) {
    const again = bodies.length > 0 && random(6) === 0;
    const refs = some([0, 1, 2, 3].map((k) => `<t${k}@x>`));
    const lines = [
      `From: "Pér ${n}" <a@example.org>`,
      `Subject: ${random(2) ? "Re: " : ""}topic ${random(3)}`,
      `Message-ID: <m${n}@x>`,
    ];
    if (refs.length > 0) lines.push(`References: ${refs.join(" ")}`);
    const body = again
      ? bodies[random(bodies.length)]!
      : Buffer.from([...lines, "", n % 2 ? "even" : "odd", "x".repeat(random(300)), ""].join("\r\n"));
    bodies.push(body);
    const mailboxIds = [...new Set([places[random(places.length)]!, ...some(places)])];
    const outcome = await world.mail.ingest.add(id, {
      blob: await world.mail.blobs.put(body),
      prepared: prepareMessage(body),
      target: { mailboxIds },
      keywords: some(["$flagged", "$seen", "$draft", "$answered", "plan/b"]).sort(),
      receivedAt: new Date(Date.UTC(2026, 0, 1 + random(4))),
      ...(random(3) === 0 && { scan: { score: 1.5, by: "posthorn", reasons: [], marks: [] } }),
    });
    expect(outcome).toHaveProperty("email");
  }
  // What linked others may be gone: their thread stays one.
  const { ids } = (await ask("Email/query", {})) as { ids: string[] };
  await ask("Email/set", { destroy: some(ids).slice(0, 3) });
  const [first] = (await ask("Identity/get", { ids: null })).list as Json[];
  await ask("Identity/set", { update: { [first!.id as string]: { textSignature: `-- ${seed}` } } });
  if (random(2) === 0)
    await ask("Identity/set", { create: { i: { name: "Other", email: address, replyTo: [{ email: address }] } } });
  if (random(2) === 0)
    await ask("VacationResponse/set", {
      update: { singleton: { isEnabled: true, textBody: "Ich bin weg", fromDate: "2026-01-01T00:00:00Z" } },
    });
  await world.store.write(id, "server", async (tx) => {
    const [mask, ...submissions] = await tx.newIds(3);
    const at = new Date("2026-01-02T03:04:05Z");
    const senders = [{ domain: "shop.test", messages: 2, lastMessageAt: at.toISOString() }];
    const email = `mask${seed}.${id}@example.com`;
    const state = random(2) === 0 ? ("enabled" as const) : ("disabled" as const);
    await restoreMaskedAddresses(tx, [
      { id: mask!, email, label: "shop", state, createdAt: at, messages: 2, lastMessageAt: at, senders },
    ]);
    const { ids: left } = (await ask("Email/query", {})) as { ids: string[] };
    const blob = await world.mail.blobs.put(Buffer.from(`Subject: sent ${seed}\r\n\r\nhello\r\n`));
    const to = (name: string) => ({ email: `${name}@example.org`, parameters: null });
    await insertPastSubmissions(
      tx,
      submissions.map((submission, n) => ({
        id: submission,
        identityId: decodeId(idPrefix.identity, first!.id as string)!,
        emailId: left[n] ? decodeId(idPrefix.email, left[n])! : submission,
        threadId: submission,
        envelope: { mailFrom: to("me"), rcptTo: [to("bob"), to("cleo")] },
        sendAt: new Date(Date.UTC(2026, 1, 1 + n)),
        undoStatus: n === 0 ? ("final" as const) : ("canceled" as const),
        dsnBlobIds: [],
        mdnBlobIds: [],
        blob,
        recipients: ["bob", "cleo"].map((name, no) => ({
          ...to(name),
          smtpReply: no ? "550 no" : "250 ok",
          delivered: no ? ("no" as const) : ("yes" as const),
          displayed: "unknown" as const,
        })),
      })),
    );
  });
}

async function write(world: World, address: string, to: string, workFolder = join(folder, "work")) {
  const source = { store: world.store, blobs: world.mail.blobs, objects: accountObjects };
  return exportArchive(adminOf(world), source, address, {
    ...{ sink: new FolderSink(to), workFolder, program: "test", tell: () => {} },
  });
}

async function read(world: World, address: string, from: string) {
  const archive = await openArchive(from);
  try {
    return await importArchive(adminOf(world), address, archive, { ...world.mail, tell: () => {} });
  } finally {
    await archive.close();
  }
}

/** Emails and threads that were destroyed are named by submissions yet: by ids that name nothing. */
async function portrait({ ask }: Account): Promise<Json> {
  const shown = await portraitOf(ask);
  const known = (value: unknown) => (/^(email|thread|identity) /.test(value as string) ? value : "gone");
  const submissions = (shown.submissions as Json[]).map((one) => ({
    ...one,
    emailId: known(one.emailId),
    threadId: known(one.threadId),
  }));
  return { ...shown, submissions };
}

test("a random account, exported and imported elsewhere, can't be told from the old one", async () => {
  for (let seed = 1; seed <= scaled(4, 200); seed++) {
    const address = `user${++count}@example.com`;
    const before = await account(here, address);
    await fill(here, before, seed);
    const to = join(folder, `random-${seed}`);
    await write(here, address, to);
    const archive = await openArchive(to);
    expect(await verifyArchive(archive, () => {})).toMatchObject({ problems: [], missing: [] });
    const after = await account(there, address);
    expect(await read(there, address, to)).toMatchObject({ unreadable: [], leftOut: [] });
    const [one, other] = await Promise.all([portrait(before), portrait(after)]);
    expect(other, `seed ${seed}`).toEqual(one);
    // Once more: nothing is doubled.
    expect(await read(there, address, to)).toMatchObject({ emails: { added: 0 }, submissions: { added: 0 } });
    expect(await portrait(after)).toEqual(one);
  }
}, 120_000);

test("an archive is checked by sha256sum alone, and is the same as a tar, ours or another's", async () => {
  const address = `user${++count}@example.com`;
  const before = await account(here, address);
  await fill(here, before, 77);
  const to = join(folder, "plain");
  await write(here, address, to);
  execFileSync("sha256sum", ["--quiet", "--strict", "-c", "SHA256SUMS"], { cwd: to });
  const tar = join(folder, "ours.tar");
  const pieces: Uint8Array[] = [];
  const sink = new TarSink(new Date(), async (piece) => void pieces.push(piece));
  const source = { store: here.store, blobs: here.mail.blobs, objects: accountObjects };
  await exportArchive(adminOf(here), source, address, {
    sink,
    workFolder: join(folder, "work"),
    program: "test",
    tell: () => {},
  });
  writeFileSync(tar, Buffer.concat(pieces));
  const unpacked = mkdtempSync(join(folder, "unpacked-"));
  execFileSync("tar", ["-xf", tar, "-C", unpacked]);
  execFileSync("sha256sum", ["--quiet", "--strict", "-c", "SHA256SUMS"], { cwd: unpacked });
  const theirs = join(folder, "theirs.tar");
  execFileSync("tar", ["--format=posix", "-cf", theirs, "-C", folder, "plain"]);
  for (const path of [tar, theirs]) {
    const archive = await openArchive(path);
    expect(await verifyArchive(archive, () => {})).toMatchObject({
      problems: [],
      objects: { Email: expect.any(Number) },
    });
    await archive.close();
  }
  const after = await account(there, address);
  await read(there, address, theirs);
  expect(await portrait(after)).toEqual(await portrait(before));
});

test("what is damaged, cut off or missing is found; an import leaves out and names it", async () => {
  const address = `user${++count}@example.com`;
  await fill(here, await account(here, address), 5);
  const to = join(folder, "damaged");
  await write(here, address, to);
  const [first, second] = readdirSync(join(to, "messages"));
  appendFileSync(join(to, "messages", first!), "x");
  rmSync(join(to, "messages", second!));
  const archive = await openArchive(to);
  const { problems } = await verifyArchive(archive, () => {});
  expect(problems).toContain(`messages/${first}: damaged or missing`);
  expect(problems).toContain(`messages/${second}: damaged or missing`);
  await account(there, address);
  const { unreadable, leftOut } = await read(there, address, to);
  const named = [...unreadable.map(({ sha256 }) => sha256), ...leftOut.map(({ reason }) => reason)];
  const isNamed = (file: string) => named.includes(file.slice(0, 64)) || named.includes("no-message");
  expect([first!, second!].every(isNamed)).toBe(true);
  writeFileSync(join(to, "SHA256SUMS"), readFileSync(join(to, "SHA256SUMS"), "utf8").replace(/.*\n/, ""));
  expect((await verifyArchive(await openArchive(to), () => {})).problems[0]).toContain("not as the manifest says");
  const manifest = readFileSync(join(to, "manifest.json"));
  rmSync(join(to, "manifest.json"));
  await expect(openArchive(to)).rejects.toThrow("has not ended");
  const cut = join(folder, "cut.tar");
  execFileSync("tar", ["-cf", cut, "-C", to, "."]);
  writeFileSync(cut, readFileSync(cut).subarray(0, 2_000));
  await expect(openArchive(cut)).rejects.toThrow("ends in the middle");
  writeFileSync(cut, randomBytes(2_000));
  await expect(openArchive(cut)).rejects.toThrow("neither a folder nor a tar");
  writeFileSync(join(to, "manifest.json"), manifest);
  // Exported again, the folder is whole again.
  await write(here, address, to);
  expect((await verifyArchive(await openArchive(to), () => {})).problems).toEqual([]);
});

test("a folder that has anything else than an archive of the account stays as it is", async () => {
  const [ann, bob] = [`user${++count}@example.com`, `user${++count}@example.com`];
  await fill(here, await account(here, ann), 8);
  await fill(here, await account(here, bob), 9);
  const to = join(folder, "anns");
  await write(here, ann, to);
  await expect(write(here, bob, to)).rejects.toThrow(`has an archive of ${ann}`);
  expect((await verifyArchive(await openArchive(to), () => {})).problems).toEqual([]);
  // As a run leaves it that was killed.
  rmSync(join(to, "manifest.json"));
  writeFileSync(join(to, ".begun"), ann);
  writeFileSync(join(to, "messages", "notes"), "of somebody else");
  writeFileSync(join(to, "messages", `${"0".repeat(64)}.eml`), "of an earlier run");
  await expect(write(here, bob, to)).rejects.toThrow(`has an archive of ${ann}`);
  await write(here, ann, to);
  expect((await verifyArchive(await openArchive(to), () => {})).problems).toEqual([]);
  expect(readdirSync(to).sort()).toEqual(["SHA256SUMS", "manifest.json", "messages", "objects"]);
  expect(readdirSync(join(to, "messages"))).toContain("notes");
  expect(readdirSync(join(to, "messages"))).not.toContain(`${"0".repeat(64)}.eml`);

  const others = join(folder, "others");
  mkdirSync(others);
  writeFileSync(join(others, "thesis"), "years of work");
  await expect(write(here, ann, others)).rejects.toThrow("has other files");
  await expect(write(here, ann, join(folder, "fresh"), others)).rejects.toThrow("has files of others");
  expect(readdirSync(others)).toEqual(["thesis"]);
  // What a run that was killed left in its work folder goes.
  writeFileSync(join(others, ".posthorn"), "");
  await write(here, ann, join(folder, "fresh"), others);
  expect(readdirSync(folder)).not.toContain("others");
});

test("an archive that names files outside of itself reads none of them", async () => {
  const address = `user${++count}@example.com`;
  await fill(here, await account(here, address), 6);
  const to = join(folder, "evil");
  await write(here, address, to);
  appendFileSync(join(to, "SHA256SUMS"), `${"0".repeat(64)}  ../../../etc/passwd\n`);
  const { problems } = await verifyArchive(await openArchive(to), () => {});
  expect(problems.join("\n")).toContain("is not a checksum");
  const manifest = JSON.parse(readFileSync(join(to, "manifest.json"), "utf8")) as { objects: Json };
  manifest.objects["../x"] = manifest.objects.Email;
  writeFileSync(join(to, "manifest.json"), JSON.stringify(manifest));
  await expect(openArchive(to)).rejects.toThrow("lacks members");
});

test("a message without a body is named, and the rest is exported; both acts are audited", async () => {
  const address = `user${++count}@example.com`;
  const { id } = await account(here, address);
  const body = Buffer.from("Subject: gone\r\n\r\nx\r\n");
  const blob = await here.mail.blobs.put(body);
  const target = { role: "inbox" } as const;
  await here.mail.ingest.add(id, {
    blob,
    prepared: prepareMessage(body),
    target,
    keywords: [],
    receivedAt: new Date(),
  });
  await here.mail.blobs.objects.remove([blob]);
  const { objects } = here.mail.blobs;
  const blobs = new Blobs({ objects, clock: here.store.clock, cacheBytes: 0 });
  const source = { store: here.store, blobs, objects: accountObjects };
  const to = join(folder, "lacking");
  const manifest = await exportArchive(adminOf(here), source, address, {
    ...{ sink: new FolderSink(to), workFolder: join(folder, "work"), program: "test", tell: () => {} },
  });
  const hash = blob.sha256.toString("hex");
  expect(manifest).toMatchObject({ missing: [hash], messages: { count: 0 } });
  const archive = await openArchive(to);
  expect(await verifyArchive(archive, () => {})).toMatchObject({ problems: [], missing: [hash] });
  await account(there, address);
  expect(await read(there, address, to)).toMatchObject({ emails: { added: 0 }, unreadable: [{ sha256: hash }] });
  const acts = async ({ store }: World, user: number) =>
    (await auditBefore(store.database, user, { before: 1e9, limit: 9 })).map(({ what }) => what);
  expect(await acts(here, id)).toContainEqual({ act: "account.export", format: "archive" });
});
