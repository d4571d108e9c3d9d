import { readdir, readFile, writeFile } from "node:fs/promises";
import type { Database } from "../src/store/core/database.ts";
import { unprepared } from "../src/store/core/sql.ts";
import { onMigrated } from "./migrated.ts";

/** The TypeScript type that src/store/core/database.ts returns for each type of Postgres. */
const types: Record<string, string> = {
  bool: "boolean",
  bytea: "Buffer",
  date: "string",
  int2: "number",
  int4: "number",
  int8: "number",
  text: "string",
  timestamptz: "Date",
  tsvector: "string",
};

/** What the catalogue does not know: the types of JSON, which is written as text, and the values of enumerated texts. */
const shapes: Record<string, string> = {
  "account.sending": "Sending",
  "attempt.error": "AttemptError",
  "attempt.outcome": "AttemptOutcome",
  "attempt.recipients": "string[]",
  "audit.what": "Record<string, string | number | null>",
  "deleted_email.authentication": "Authentication",
  "delivery.delivered": "Delivered",
  "delivery.displayed": "Displayed",
  "delivery.parameters": "Record<string, string | null>",
  "delivery.state": "DeliveryState",
  "identity.bcc": "EmailAddress[]",
  "identity.reply_to": "EmailAddress[]",
  "incoming.authentication": "Authentication",
  "incoming.recipients": "(AcceptedRecipient & { done: boolean; reasons?: string[] })[]",
  "mail_event.addresses": "string[]",
  "mail_event.fields": "Record<string, unknown>",
  "masked_address.senders": "MaskedSender[]",
  "masked_address.state": "MaskedState",
  "message.authentication": "Authentication",
  "quarantine.recipients": "AcceptedRecipient[]",
  "received_report.policy": "Record<string, unknown>",
  "received_report_row.what": "Record<string, unknown>",
  "report_count.what": "Record<string, unknown>",
  "removed_account.what": "Removed",
  "submission.envelope": "Envelope",
  "submission.undo_status": "UndoStatus",
};

/** Tables with user_id first in their key that belong to no account: any free process takes their rows. */
const queue = "due";

interface Column {
  table: string;
  name: string;
  type: string;
  isNullable: boolean;
  isOptional: boolean;
  /** The first column of the primary key. */
  leads: boolean;
}

const columns = unprepared<Column>(`
  SELECT c.relname AS "table", a.attname AS name, t.typname AS type, NOT a.attnotnull AS "isNullable",
    a.atthasdef AS "isOptional", coalesce(k.conkey[1] = a.attnum, false) AS leads
  FROM pg_class c
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
  WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
  ORDER BY c.relname, a.attnum`);

const camel = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
const interfaceOf = (table: string) => `${camel(`_${table}`)}Table`;

function typeOf({ table, name, type, isNullable, isOptional }: Column): string {
  const orNull = isNullable ? " | null" : "";
  const shape = shapes[`${table}.${name}`];
  if (type === "jsonb") {
    if (shape === undefined) throw new Error(`the type of the JSON in ${table}.${name} is not given here`);
    return `ColumnType<${shape}${orNull}, string${orNull}, string${orNull}>`;
  }
  const element = shape ?? types[type.replace(/^_/, "")];
  if (element === undefined) throw new Error(`${table}.${name} has a type that is not known here: ${type}`);
  const plain = `${element}${type.startsWith("_") ? "[]" : ""}${orNull}`;
  return isOptional ? `Generated<${plain}>` : plain;
}

function interfaceText(table: string, list: readonly Column[]): string {
  const lines = list.map((column) => `  ${camel(column.name)}: ${typeOf(column)};`);
  return `export interface ${interfaceOf(table)} {\n${lines.join("\n")}\n}`;
}

/** The tables that the migrations put on every node of Citus. */
async function replicated(): Promise<string[]> {
  const folder = new URL("../migrations/", import.meta.url);
  const files = (await readdir(folder)).filter((name) => /^\d/.test(name));
  const texts = await Promise.all(files.map((name) => readFile(new URL(name, folder), "utf8")));
  return [...texts.join("\n").matchAll(/^SELECT replicate\('(\w+)'\);/gm)].map(([, table]) => table!).sort();
}

/** The text of src/store/core/db.ts for a migrated database. */
export async function describeTables(database: Database): Promise<string> {
  const found = await database.run(columns);
  const tables = [...Map.groupBy(found, (column) => column.table)];
  const ofAccounts = tables.filter(([table, [first]]) => table !== queue && first!.name === "user_id" && first!.leads);
  const everywhere = await replicated();
  return `// Made by \`npm run db:types\` from the migrated tables.
import type { ColumnType, Generated } from "kysely";
import type { EmailAddress } from "../../mime/headers.ts";

/** RFC 8621 §7: an address with its SMTP parameters. */
export interface EnvelopeAddress {
  email: string;
  parameters: Record<string, string | null> | null;
}

export interface Envelope {
  mailFrom: EnvelopeAddress;
  rcptTo: EnvelopeAddress[];
}

/** Why a sender's mail is held. */
export type HoldReason = "bounces" | "complaints" | "spam" | "takeover" | "operator";

/** What is known of an account as a sender; times as in RFC 3339. */
export interface Sending {
  /** Its mail waits. isTold: whether its inbox has a message about it. */
  hold?: { at: string; reason: HoldReason; text: string; isTold: boolean };
  /** When its mail was last let go: its good behaviour counts from then. */
  liftedAt?: string;
  /** Recipients in an hour and in 24 hours, by an operator's word; 0 forbids it to send. */
  hourly?: number;
  daily?: number;
}

export type UndoStatus = "pending" | "final" | "canceled";
export type Delivered = "queued" | "yes" | "no" | "unknown";
export type Displayed = "yes" | "unknown";
export type DeliveryState = "queued" | "sent" | "failed" | "canceled";
export type AttemptOutcome = "sent" | "deferred" | "failed";
/** Why a mail is in the error queue: it could not be built, signed or routed, something here failed, or its time was over. */
export type AttemptError = "build" | "sign" | "route" | "local" | "expired";

/** Who gets an accepted message: an account, by the address in the envelope. */
export interface AcceptedRecipient {
  address: string;
  userId: number;
  /** The account's masked addresses that the message was sent to. */
  maskedIds?: number[];
  /** Where else the account sends it, and by which address of its own. */
  forwards?: { from: string; to: string[] }[];
  /** It does not go into the account itself. */
  isForwardedOnly?: true;
  /** RFC 8689: what the account sends elsewhere goes over verified TLS alone. */
  requiresTls?: true;
}

/** RFC 8601 §2.7: what was found of a message; results are those of each method. A domain is what was judged. */
export interface Authentication {
  /** RFC 8601 §2.5: who found it, if that is a server in front of this one. */
  authservId?: string;
  /** RFC 8601 §2.7.4: the address of ours that signed in to send it. Absent for mail from elsewhere. */
  auth?: { result: "pass"; identity: string };
  spf: { result: string; domain: string | null };
  dkim: { result: string; domain: string; selector: string }[];
  /** override: what decided instead of the policy, an operator's word or the name of a forwarder who vouches. */
  dmarc: { result: string; domain: string; policy: string | null; override: string | null }[];
  /** The newest sealer comes last. */
  arc: { result: string; sealers: string[] };
  bimi: { result: string; domain: string | null };
}

/** What led to an account that was removed; times as in RFC 3339. */
export interface Removed {
  logins: { login: string; passwordHash: string; createdAt: string }[];
  addresses: {
    address: string;
    createdAt: string;
    maskedId: number | null;
    isPaused: boolean;
    forwards: string[] | null;
    keepsCopy: boolean;
  }[];
  /** The logins that it was shared with, and the accounts that were shared with its logins. */
  shares: { login: string; accountId: number; createdAt: string }[];
}

/** Mail for one that is disabled is refused. */
export type MaskedState = "enabled" | "disabled";
export interface MaskedSender {
  domain: string;
  messages: number;
  lastMessageAt: string;
}

${tables.map(([table, list]) => interfaceText(table, list)).join("\n\n")}

export interface DB {
${tables.map(([table]) => `  ${camel(table)}: ${interfaceOf(table)};`).join("\n")}
}

/** Postgres's names of the columns' types. */
export const columnTypes: { readonly [Table in keyof DB]: { readonly [Column in keyof DB[Table]]: string } } = {
${tables.map(([table, list]) => `  ${camel(table)}: {\n${list.map(({ name, type }) => `    ${camel(name)}: "${type.replace(/^_(.*)/, "$1[]")}",`).join("\n")}\n  },`).join("\n")}
};

/** Tables whose rows belong to an account: user_id is first in their key. */
export const accountTables: ReadonlySet<string> = new Set([
${ofAccounts.map(([table]) => `  "${table}",`).join("\n")}
]);

/** Tables that every node of Citus has. */
export const replicatedTables: ReadonlySet<string> = new Set([
${everywhere.map((table) => `  "${table}",`).join("\n")}
]);
`;
}

const typesFile = new URL("../src/store/core/db.ts", import.meta.url);
if (import.meta.main) await onMigrated(async (database) => writeFile(typesFile, await describeTables(database)));
