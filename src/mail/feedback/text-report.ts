import { splitAddress } from "../../base/address.ts";
import type { Feedback, Judged, ReportedRecipient } from "./feedback.ts";
import { headerOf, readableText } from "./readable.ts";
import { codesIn, severityOf, speaksOfFailure } from "./severity.ts";
import { smtpReplyOf } from "./status-report.ts";

/** Local parts and names of the programs that report failures. */
const daemon =
  /^(?:mailer[-_. ]?daemon|mail[-_. ]?daemon|postmaster|post[-_]?office|mailadm(?:in)?|mdaemon|bounce-?handler|microsoftexchange[0-9a-f]+|mail[-_. ]?delivery[-_. ]?(?:subsystem|system|service))$/i;
const daemonName =
  /mail delivery (?:sub)?system|mailer[-_ ]?daemon|postmaster|mail administrator|system administrator|系统退信|退信|邮件系统|システム管理者|メール配(?:信|送)(?:システム|サービス)|メールデリバリ/i;
const subjectOfFailure =
  /undeliver(?:ed|able)|(?:un)?deliver(?:y|ed)[^\n]{0,30}(?:fail|error|status|problem|notification|report|delay|unsuccessful)|failure notice|fail(?:ed|ure)[^\n]{0,20}deliver|returned (?:mail|message|to sender)|mail (?:delivery|system) (?:error|failed)|non[- ]?delivery|mail could not be delivered|message (?:not delivered|delayed|status)|could not (?:be )?(?:send|deliver)|warning: (?:could not send|message)|bounce|delayed mail|mail delayed|mail failure|nondeliverable|rejected mail|système? de (?:messagerie)?|(?:unzustell|nicht zu(?:gestellt|stellbar)|fehlgeschlagen)|non remis|échec|no (?:se ha podido )?entreg|impossibile (?:consegnare|recapitare)|退信|退回|投递(?:失败|状态)|无法(?:投递|送达)|系统通知|配(?:信|送)(?:不能|エラー|失敗|できません)|送信(?:エラー|失敗|できません)|エラーメール|届きません/i;
const textOfFailure =
  /(?:could not|couldn'?t|cannot|can'?t|was not|wasn'?t|unable to|not able to|failed to|has not been|hasn'?t been|not yet been) (?:be |been )?(?:deliver|send|sent|reach|relay|transfer)|(?:permanent|fatal|transient)[^\n]{0,20}(?:error|failure)|did not reach|delivery (?:to \S+ )?(?:has )?failed|nicht zugestellt|pas pu être remis|no (?:se )?(?:pudo|ha podido) (?:ser )?entreg|не (?:может быть|было|удалось) достав|failed permanently|returned to sender|following address(?:es)?|failed addresses|undeliverable|rejected by|rejected your message|退信|无法(?:投递|送达|发送)|未能(?:送达|投递|发送)|投递失败|被退回|送信できません|配(?:信|送)(?:できません|できなかった|に失敗)|届けられません|お届けできません|送れません/i;
/** What follows is the reported mail, whose addresses say nothing. */
const original =
  /^[ \t]{0,20}(?:--[^\n]{0,160}(?:below this line|copy of (?:your|the) message|original message|returned message|message (?:header|follows)|undelivered message|body of message)|-{2,9} ?(?:original|message header|forwarded)|===[^\n]{0,160}original|(?:original message|received): |(?:原始邮件|原邮件|元のメッセージ|以下(?:は|が)?[^\n]{0,12}(?:原文|元のメール)))/im;
/** In a header such as From: of a quoted mail. */
const headerLine =
  /^[ \t>]*(?:from|to|cc|date|subject|message-id|return-path|reply-to|received|发件人|差出人|reporting-mta|dsn-gateway)[ \t]*[:：].*$/gim;
const address = /[\w!#$%&'*+/=?^`{|}~.-]{1,64}@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.)+[\p{L}]{2,24}/gu;

/** A report in words alone, as qmail, Exim, old Sendmail, Yahoo, Domino and many providers in China and Japan send. */
export function textReportIn(judged: Judged): Feedback | undefined {
  const fields = headerOf(judged);
  const failed = fields
    .filter(({ name }) => name === "x-failed-recipients")
    .flatMap(({ value }) => value.match(address) ?? []);
  const text = readableText(judged);
  const subject = (judged.summary.subject ?? "").slice(0, 1000);
  const isOfDaemon = comesFromDaemon(judged);
  // Other programs also send without a sender, so they must say it twice.
  const mayBe = judged.mailFrom === "" && subjectOfFailure.test(subject);
  if (failed.length === 0 && !isOfDaemon && !mayBe) return undefined;
  if (/^multipart\/report$/.test(judged.summary.structure.type) && hasReceipt(judged)) return undefined;
  if (fields.some(({ name }) => name === "list-id" || name === "list-unsubscribe")) return undefined;
  const cut = text.search(original);
  const words = (cut > 0 ? text.slice(0, cut) : text).slice(0, 8000);
  const saysFailure = textOfFailure.test(words.replace(/\s+/g, " "));
  const isOfFailure = isOfDaemon ? saysFailure || subjectOfFailure.test(subject) : saysFailure;
  if (
    failed.length === 0 &&
    !(isOfFailure && (speaksOfFailure(words) || codesIn(words).code || codesIn(words).status))
  ) {
    return undefined;
  }
  const isDelay =
    /delay|warning|not yet been delivered|will (?:keep|continue to?) try/i.test(subject) ||
    /(?:not yet been delivered|warning message only|do not need to resend|will (?:keep|continue) (?:to )?try|still (?:trying|being retried))/i.test(
      words,
    );
  const own = new Set(
    [...(judged.summary.to ?? []), ...(judged.summary.from ?? [])].map(({ email }) => email.toLowerCase()),
  );
  const places = placesOf(words).filter(({ email }) => !own.has(email.toLowerCase()) && !isDaemon(email));
  const all = failed.length > 0 ? places.filter(({ email }) => has(failed, email)) : places;
  const named = all.length > 0 ? all : failed.map((email) => ({ email, reason: words }));
  const recipients = (named.length > 0 ? named : [{ email: undefined, reason: words }]).map(({ email, reason }) =>
    reported(email, speaksOfFailure(reason) || codesIn(reason).code ? reason : words, isDelay),
  );
  return { kind: "delivery", isStandard: false, recipients };
}

const has = (all: readonly string[], email: string) => all.some((one) => one.toLowerCase() === email.toLowerCase());

function reported(email: string | undefined, reason: string, isDelay: boolean): ReportedRecipient {
  const addresses = email === undefined ? [] : [email];
  const { status } = codesIn(reason);
  const action = isDelay ? "delayed" : "failed";
  const severity = isDelay ? "soft" : severityOf({ status, text: reason });
  return { addresses, action, severity, smtpReply: smtpReplyOf(replyIn(reason), status, action) };
}

/** The line with the server's reply, or the first words. */
function replyIn(reason: string): string {
  const lines = reason.split("\n").map((line) => line.replace(/^[\s<>*-]+/, "").trim());
  const line =
    lines.find((one) => codesIn(one).code) ?? lines.find((one) => codesIn(one).status ?? speaksOfFailure(one));
  return (line ?? lines.find((one) => one !== "") ?? "").replace(/^.*?(?=\b[45]\d\d[ -])/, "").slice(0, 500);
}

/** Each address, with the words from it to the next other one. */
function placesOf(text: string): { email: string; reason: string }[] {
  const plain = text.replace(headerLine, (line) => (/^[ \t>]*to[ \t]*:/i.test(line) ? line : " ".repeat(line.length)));
  const found = [...plain.matchAll(address)].map((match) => ({ email: match[0].replace(/\.$/, ""), at: match.index }));
  const first = new Map<string, number>();
  for (const { email, at } of found) if (!first.has(email.toLowerCase())) first.set(email.toLowerCase(), at);
  return [...first].slice(0, 100).map(([email, at]) => {
    const next = found.find((other) => other.at > at && other.email.toLowerCase() !== email);
    return { email, reason: plain.slice(at + email.length, next?.at) };
  });
}

function comesFromDaemon({ summary, mailFrom }: Judged): boolean {
  const named = [...(summary.from ?? []), ...(summary.sender ?? [])];
  if (named.some(({ name, email }) => isDaemon(email) || (name !== null && daemonName.test(name)))) return true;
  return mailFrom === "" && named.length === 0;
}

function isDaemon(email: string): boolean {
  return daemon.test(splitAddress(email)?.local ?? email);
}

/** RFC 8098: a receipt is no report of a delivery. */
function hasReceipt({ summary }: Judged): boolean {
  return (summary.structure.parts ?? []).some(({ type }) => /disposition-notification$/.test(type));
}
