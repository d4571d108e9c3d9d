import { computed, type Signal, signal } from "@preact/signals";
import { t } from "../../messages/composer.ts";
import { ConnectionLost, MethodFailed, RequestRefused } from "../../shared/jmap/errors.ts";
import type { EmailAddress, Id, Identity, Session } from "../../shared/jmap/types.ts";
import type { Account } from "../../shared/store/account.ts";
import { parseAddresses, unique } from "./addresses.ts";
import type { Source } from "./answer.ts";
import { Files } from "./files.ts";
import { dropCopy, keepCopy } from "./local-copy.ts";
import { type Body, blobsOf, emailOf, newMessageId, type Start, type Written } from "./message.ts";

export type Field = "to" | "cc" | "bcc";
export const fields: readonly Field[] = ["to", "cc", "bcc"];

/** untouched: as it was opened. waiting: the line is lost, and this browser keeps it. */
export type Status = "untouched" | "changed" | "saving" | "saved" | "waiting" | "refused";

const saveAfterMs = 2_000;
const copyAfterMs = 300;
const retryAfterMs = 15_000;
const refreshCopyMs = 5_000;

interface Options {
  session: Session;
  account: Account;
  identities: readonly Identity[];
}

/** A mail that is being written: what is in its fields, and how it stays safe. It lives as long as the composer is open. */
export class Writing {
  readonly key: string;
  readonly account: Account;
  readonly identities: readonly Identity[];
  readonly to: Signal<EmailAddress[]>;
  readonly cc: Signal<EmailAddress[]>;
  readonly bcc: Signal<EmailAddress[]>;
  /** What is typed in the fields and is no recipient yet. */
  readonly typed: Record<Field, Signal<string>> = { to: signal(""), cc: signal(""), bcc: signal("") };
  readonly subject: Signal<string>;
  readonly identityId: Signal<Id | undefined>;
  readonly identity = computed(() => this.identities.find(({ id }) => id === this.identityId.value));
  readonly isRich: Signal<boolean>;
  readonly files: Files;
  readonly status = signal<Status>("untouched");
  /** What the server said against it. */
  readonly fault = signal("");
  readonly inReplyTo: string[] | null;
  readonly references: string[] | null;
  readonly source: Source | undefined;
  /** The draft at the server. */
  emailId: Id | undefined;
  /** A try to send it had no answer. */
  isSendUncertain = false;
  /** Set by the editor while there is one: reading it takes long for a large text. */
  readBody: (() => Body) | undefined;
  #body: Body;
  #isClosed = false;
  /** Counts the changes; what was saved is compared with it. */
  #changes = 0;
  #saved = 0;
  #saving: Promise<void> | undefined;
  #saveTimer: ReturnType<typeof setTimeout> | undefined;
  #copyTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #refresh: ReturnType<typeof setInterval>;
  /** The Message-ID of a save whose answer was lost: it may have happened. */
  #uncertain: string | undefined;
  #isLeft = false;
  readonly #session: Session;

  constructor({ session, account, identities }: Options, start: Start, key = newKey()) {
    this.key = key;
    this.#session = session;
    this.account = account;
    this.identities = identities;
    this.to = signal(start.to ?? []);
    this.cc = signal(start.cc ?? []);
    this.bcc = signal(start.bcc ?? []);
    this.subject = signal(start.subject ?? "");
    this.identityId = signal(start.identityId ?? identities[0]?.id);
    this.#body = start.body ?? { text: "", html: "" };
    this.isRich = signal(this.#body.html !== undefined);
    this.inReplyTo = start.inReplyTo ?? null;
    this.references = start.references ?? null;
    this.source = start.source;
    this.emailId = start.emailId;
    this.#uncertain = start.uncertain;
    const onChange = () => this.changed();
    this.files = new Files({ session, accountId: account.id, onChange, explain: explained });
    this.files.take(start.files ?? []);
    this.#refresh = setInterval(() => this.#copy(), refreshCopyMs);
    addEventListener("online", this.#retry);
    addEventListener("pagehide", this.#leave);
    document.addEventListener("visibilitychange", this.#hide);
  }

  get body(): Body {
    if (this.readBody) this.#body = this.readBody();
    return this.#body;
  }

  /** The editor goes: what it holds stays. */
  keepBody(): void {
    this.#body = this.body;
    this.readBody = undefined;
  }

  /** The text as the editor is to show it from now on. */
  set body(body: Body) {
    this.#body = body;
    this.isRich.value = body.html !== undefined;
  }

  /** Whether there is anything that the server does not have. */
  get isDirty(): boolean {
    return this.#changes !== this.#saved;
  }

  /** Something was written: it is kept by this browser soon, and by the server when the typing stops. */
  changed(): void {
    this.#changes++;
    this.#isLeft = false;
    if (this.status.peek() !== "saving") this.status.value = "changed";
    clearTimeout(this.#saveTimer);
    this.#saveTimer = setTimeout(() => void this.save(), saveAfterMs);
    this.#copyTimer ??= setTimeout(() => this.#copy(), copyAfterMs);
  }

  /** Makes recipients of what is typed in a field. Returns the texts that are none, which stay. */
  settle(field: Field): string[] {
    const { addresses, faults } = parseAddresses(this.typed[field].peek());
    if (addresses.length > 0) {
      this[field].value = unique([...this[field].peek(), ...addresses]);
      this.typed[field].value = faults.join(", ");
      this.changed();
    }
    return faults;
  }

  /** What is written, with what is typed in the fields and is no recipient yet. */
  get written(): Written {
    const all = (field: Field) => [...this[field].peek(), ...parseAddresses(this.typed[field].peek()).addresses];
    return {
      identity: this.identity.peek(),
      to: all("to"),
      cc: all("cc"),
      bcc: all("bcc"),
      subject: this.subject.peek(),
      body: this.body,
      files: this.files.list.peek(),
      inReplyTo: this.inReplyTo,
      references: this.references,
    };
  }

  /** Saves the draft at the server, if that lacks anything: one save at a time. Resolves when it is there, or cannot be for now. */
  async save(): Promise<void> {
    clearTimeout(this.#saveTimer);
    while (this.#saving) await this.#saving;
    if (!this.isDirty || this.#isClosed) return;
    this.#saving = this.#saveOnce().finally(() => {
      this.#saving = undefined;
    });
    await this.#saving;
  }

  /** Ends its timers. Saves what is not saved, unless it was sent or thrown away. */
  close({ isDone = false } = {}): void {
    if (this.#isClosed) return;
    this.#isClosed = isDone;
    this.#stop();
    if (isDone) dropCopy(this.key);
    else void this.save();
  }

  /** The page goes, or nobody is signed in any more: this browser keeps what is not saved. */
  suspend(): void {
    if (!this.#isClosed) this.#copy(true);
    this.#stop();
  }

  /** Destroys the draft at the server. */
  async discard(): Promise<void> {
    this.files.stop();
    this.close({ isDone: true });
    await this.#saving;
    if (this.emailId === undefined) return;
    await this.account.jmap.call("Email/set", { accountId: this.account.id, destroy: [this.emailId] });
  }

  async #saveOnce(): Promise<void> {
    const { account } = this;
    const place = account.byRole("drafts") ?? account.byRole("inbox");
    if (!place) return;
    const changes = this.#changes;
    const { written } = this;
    this.status.value = "saving";
    const messageId = newMessageId(written.identity);
    try {
      await this.#findUncertain();
      this.#uncertain = messageId;
      // If the page goes before the answer comes, whoever goes on with the copy looks for it.
      this.#copy(this.#isLeft);
      const create = { draft: emailOf(written, { mailboxId: place.id, messageId, now: new Date() }) };
      const before = this.emailId;
      const args = { accountId: account.id, create, ...(before !== undefined && { destroy: [before] }) };
      const { created, notCreated } = await account.jmap.call("Email/set", args);
      this.#uncertain = undefined;
      const made = created?.draft;
      if (!made) throw new MethodFailed(notCreated?.draft?.type ?? "serverFail", notCreated?.draft?.description ?? "");
      this.emailId = made.id;
      this.#saved = changes;
      if (written.files.length > 0) await this.#adoptFiles(written, made.id);
      if (!this.isDirty) dropCopy(this.key);
      this.status.value = this.isDirty ? "changed" : "saved";
    } catch (error) {
      this.#refused(error as Error);
    }
  }

  /** Uploads live for a day; the files of the draft live as long as it does. */
  async #adoptFiles({ files }: Written, id: Id): Promise<void> {
    const asked = { ids: [id], properties: ["attachments"], bodyProperties: ["blobId", "cid", "name"] };
    const { list } = await this.account.jmap.call("Email/get", { accountId: this.account.id, ...asked });
    this.files.rename(blobsOf(files, list[0]?.attachments ?? []));
  }

  #refused(error: Error): void {
    this.#copy();
    const isLost = error instanceof ConnectionLost;
    if (!isLost) this.#uncertain = undefined;
    this.status.value = isLost ? "waiting" : "refused";
    this.fault.value = isLost ? "" : explained(error);
    clearTimeout(this.#saveTimer);
    if (isLost) this.#saveTimer = setTimeout(() => void this.save(), retryAfterMs);
  }

  /** Adopts a draft that was saved although its answer was lost: there is only ever one. */
  async #findUncertain(): Promise<void> {
    if (this.#uncertain === undefined) return;
    const { ids } = await this.account.jmap.call("Email/query", {
      accountId: this.account.id,
      filter: { header: ["Message-ID", this.#uncertain] },
      limit: 1,
    });
    if (ids[0] !== undefined) this.emailId = ids[0];
    this.#uncertain = undefined;
  }

  #copy(isLeft = false): void {
    clearTimeout(this.#copyTimer);
    this.#copyTimer = undefined;
    if (!this.isDirty) return;
    const { identity, files, ...rest } = this.written;
    const there = files.filter(({ blobId }) => blobId !== undefined).map(({ key: _, ...file }) => file);
    const start: Start = {
      ...rest,
      ...(this.#uncertain !== undefined && { uncertain: this.#uncertain }),
      files: there,
      identityId: identity?.id,
      source: this.source,
      emailId: this.emailId,
    };
    const { username } = this.#session;
    keepCopy({ key: this.key, username, accountId: this.account.id, start, at: isLeft ? 0 : Date.now() });
  }

  #stop(): void {
    clearTimeout(this.#saveTimer);
    clearTimeout(this.#copyTimer);
    clearInterval(this.#refresh);
    removeEventListener("online", this.#retry);
    removeEventListener("pagehide", this.#leave);
    document.removeEventListener("visibilitychange", this.#hide);
  }

  readonly #retry = (): void => {
    if (this.isDirty) void this.save();
  };
  readonly #leave = (): void => {
    this.#isLeft = true;
    this.#copy(true);
  };
  readonly #hide = (): void => {
    if (document.visibilityState === "hidden" && this.isDirty) void this.save();
  };
}

/** Why the server did not take a draft, or what belongs to it, in words for people. */
export function explained(error: Error): string {
  if (error instanceof ConnectionLost) return t("lineLost");
  const type = error instanceof MethodFailed || error instanceof RequestRefused ? error.type : "";
  const kind = type.split(":").at(-1);
  if (kind === "overQuota" || (error instanceof RequestRefused && error.status === 507)) return t("noRoom");
  if (kind === "tooLarge" || (error instanceof RequestRefused && error.status === 413)) return t("tooLarge");
  return error.message || type;
}

function newKey(): string {
  return `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}`;
}
