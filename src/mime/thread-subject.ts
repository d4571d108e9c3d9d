import { normalized } from "../base/normalize.ts";

/** How much of a subject is examined. */
const maxLength = 2000;
/** How many stripped forms are reported; people do not nest deeper. */
const maxStages = 8;

const colon = "[:\\uff1a\\ufe55\\ua789\\u2236]";
const number = "\\d{1,6}";
/** The count of a repeated reply: Re[2], Re(2), Re^2, Re*2. */
const counter = `(?:\\[${number}\\]|\\(${number}\\)|[\\^*#]${number})`;

/**
 * Prefixes that mail programs put before a subject to reply or forward, without accents and in lower case. They may
 * stand alone, and may have a counter or a list tag before the colon.
 */
const known = new Set(
  (
    "re fw fwd aw wg antw antwort doorst sv vs vb vl ref rep tr res enc rv resp r rif i odp pd ynt ilt va tovabbitas fs " +
    "bls trs atb yml ats pers odg prosl posr rasp hl tl απ πρθ σχετ на ha отв ответ пер пересл відп отг отговор одг תשובה השב הועבר רד رد پاسخ " +
    "回复 答复 回覆 答覆 转发 轉寄 轉發 转寄 返信 転送 회신 답장 전달 ตอบกลับ ส่งต่อ उत्तर"
  )
    .split(" ")
    .map(plain),
);

/** Automatic prefixes of more than one word. */
const phrases = [
  "(?:automatic|auto) ?reply|out of (?:the )?office(?: reply)?|not read|new time proposed|(?:updated |canceled )invitation",
  "(?:canceled|updated) event|meeting forward notification|message recall(?:ed)?|undelivered mail|delivery delayed",
  "automatische antwort|nicht gelesen|mit vorbehalt|réponse automatique|respuesta automática|resposta automática",
  "risposta automatica|automatisch antwoord|automatiskt svar|automatisk svar|automaattinen vastaus|trả lời|chuyển tiếp",
  "автоматический ответ|autom\\. odpověď|odpowiedź automatyczna|إعادة توجيه|external (?:sender|e-?mail)",
].join("|");
const phrase = new RegExp(`^(?:${phrases})\\s?${colon}\\s*`, "iu");

/**
 * Any word before a colon, since no list covers all languages; except one with digits (a ticket, a time) or the start
 * of a URL.
 */
const word = new RegExp(`^([\\p{L}\\p{M}][\\p{L}\\p{M}.'’/-]{0,19})\\s?${counter}?\\s?${colon}(?!//)\\s*`, "u");
const numbered = new RegExp(`^([\\p{L}\\p{M}]{1,12})\\s?(?:${number}|\\[[^[\\]]{0,60}\\])\\s?${colon}\\s*`, "u");

/** Tags of lists, gateways and spam filters. */
const tag =
  /^(?:\[[^[\]]*\]|［[^［］]*］|【[^【】]*】|〔[^〔〕]*〕|\{[^{}]*\}|\*{1,8} ?[^*]{1,40}\*{1,8}|\((?:re|fwd?|aw|wg)\)(?=\s))\s*/iu;
const warnings =
  "(?:(?:possible|probable|suspected|likely|potential) )?(?:spam|junk|bulk|virus|phishing|ext|extern(?:al|e|o)?|esterno|caution)";
const marks = "[^\\p{L}\\p{N}\\s]{1,8}";
const warning = new RegExp(`^(?:${marks} ?${warnings}[?!]? ?${marks}|${warnings} ?[-–—|>]+)\\s*`, "iu");

const trailer = /\s*(?:\(fwd?\)|\[(?:ext|external|extern|spam|sec=[^[\]]*)\])$/i;
const forwarded = /^\[fwd?:(.*)\]$/isu;

/** Soft hyphens, direction marks and other invisible characters; control characters. */
const invisible = /[\p{Default_Ignorable_Code_Point}\p{Cc}]+/gu;

/** The form used for comparison: compatibility forms unified, no marks, lower case. */
function plain(token: string): string {
  return normalized(
    normalized(token, "NFKD")
      .replace(/\p{M}+/gu, "")
      .toLowerCase(),
    "NFC",
  );
}

/** The rest of the text, unless it is empty. */
function without(text: string, pattern: RegExp): string {
  return text.replace(pattern, "") || text;
}

function withoutPrefix(text: string): string {
  const match = word.exec(text) ?? numbered.exec(text);
  if (match === null) return text;
  const isKnown = known.has(plain(match[1]!).replace(/\.$/, ""));
  const isNumbered = !word.test(text);
  const rest = text.slice(match[0].length);
  return isKnown || (rest !== "" && !isNumbered) ? rest : text;
}

/** Strips one prefix or tag that programs add. */
function stripOne(text: string): string {
  const inner = forwarded.exec(text);
  if (inner !== null) return inner[1]!.trim();
  const spoken = withoutPrefix(without(text, phrase));
  if (spoken !== text) return spoken;
  return without(without(without(text, trailer), tag), warning);
}

export interface ThreadSubject {
  /** What the subjects of a thread have in common. */
  base: string;
  /** The original subject, and what remained after each step; white space and case unchanged. */
  stages: string[];
}

/**
 * RFC 8621 §3: "After stripping automatically added prefixes such as "Fwd:", "Re:", "[List-Tag]", etc., and ignoring
 * white space, the subjects are the same." Strips more than RFC 5256 does for sorting: emails of a thread also share a
 * message id, so stripping too much does no harm, and too little separates a reply from what it answers.
 */
export function threadSubject(subject: string): ThreadSubject {
  const start = subject.slice(0, maxLength);
  let text = start
    .replace(/[\t\r\n]+/g, " ")
    .replace(invisible, "")
    .replace(/\s+/g, " ")
    .trim();
  const stages = [start];
  for (let next = stripOne(text); next !== text; next = stripOne(text)) {
    text = next;
    if (stages.length < maxStages) stages.push(text);
    else stages[maxStages - 1] = text;
  }
  return { base: normalized(text, "NFKC").toLowerCase().replace(/\s+/g, ""), stages };
}
