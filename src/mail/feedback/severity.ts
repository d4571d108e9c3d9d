/**
 * Hard: the address will never work, so it is not to be used again. Soft: everything else, such as a full mailbox, a
 * server that is away, or mail that was refused for what it contains or for who sent it.
 */
export type Severity = "hard" | "soft";

/** What a server said of a recipient. */
export interface Said {
  /** RFC 3463, such as "5.1.1". */
  status?: string | undefined;
  /** Reply or explanation, in any language. */
  text: string;
}

const full =
  /(?:mail ?box|inbox|quota|storage|account|user)[^.\n]{0,40}\b(?:is |was |has )?(?:full|exceed|over ?quota|over (?:its|the|allocated) |exhausted)|(?:exceed|over)[^.\n]{0,40}\b(?:quota|storage|mailbox size|space)|over ?quota|quota ?exceeded|insufficient (?:system )?storage|not enough (?:storage )?space|out of (?:disk )?space|mailfolder is full|邮箱(?:空间)?(?:已|己)?满|(?:空间|容量)(?:不足|已满)|超(?:出|过)[^\n]{0,12}(?:容量|空间|配额)|信箱已滿|容量(?:を超え|オーバー|がいっぱい)|メールボックスが(?:いっぱい|一杯|満杯)/i;
const policy =
  /\b(?:spam|spammers?|virus|malware|phish\w*|blacklist\w*|black list\w*|block ?list\w*|blocked|dnsbl|rbl|spamhaus|spamcop|barracuda|dmarc|dkim|spf|reputation|policy|policies|unsolicited|bulk mail|content (?:rejected|filter)|message (?:content )?rejected|not authenticated|unauthenticated|reverse dns|ptr record|greylist\w*|rate limit\w*|too many (?:messages|connections|recipients)|sender (?:address |verify )?(?:rejected|failed|denied)|not (?:authorized|authorised|permitted) to send|sender denied|message (?:size|too (?:large|big))|too large|size limit|prohibited attachment)\b|垃圾邮件|拒收|拒绝接收|病毒|反垃圾|黑名单|敏感|迷惑メール|なりすまし|受信拒否/i;
/** The fault is with the sender, or with DNS for now. */
const notTheAddress =
  /\bsender(?:'s)? (?:e-?mail |address |domain |verif\w+ )*(?:is |was |has |does |could |be )*(?:not |n't )?(?:found|invalid|exist|unknown|resolve|rejected|failed|refused|denied)|(?:name service|dns|lookup)[^\n]{0,120}(?:try again|servfail|temporar)/i;
/** Names of lists and policies also occur in replies about unknown users, so these are looked for first. */
const surelyUnknown =
  /\b(?:no such (?:user|mailbox|recipient|person|account|address)|(?:user|recipient|mailbox|address|account|addressee)s? (?:is |are |was |address |name )*(?:unknown|not ?found|invalid|doesn'?t exist|does not exist|not exist|couldn'?t be found|could not be found|wasn'?t found|is not a valid|not known)|unknown (?:user|recipient|address|mailbox|account|local[- ]part)|invalid (?:recipient|mailbox|user|address)|unrouteable address|unroutable|bad destination|not listed in (?:the )?(?:domino directory|public name|directory)|recipient ?not ?found|(?:email )?account that you tried to reach (?:does not exist|is disabled|is inactive)|doesn'?t have a[n]? \S+ account|no mailbox here|mailbox unavailable|not our customer|that account (?:does not exist|is disabled)|(?:account|mailbox|user) (?:has been |is |was )?(?:disabled|inactive|deactivated|suspended|closed|deleted|discontinued|terminated)|no longer (?:valid|active|exists?|available|here|works?|employed|in (?:use|service))|(?:user|recipient|mailbox|account|address|addressee)\b[^.\n]{0,60}(?:does not exist|doesn'?t exist|couldn'?t be found|could not be found|not be found|was not found)|not a valid (?:recipient|address|mailbox|user)|(?:host|domain)(?: name)? (?:not found|unknown|does not exist|doesn'?t exist|couldn'?t be found|could not be found)|(?:unknown|no such|unresolvable) (?:host|domain)|nxdomain|does not accept (?:e-?)?mail|null ?mx|no mx|couldn'?t find any host|bad destination (?:mailbox|system)|wasn'?t found at|address (?:rejected: )?(?:user unknown|undeliverable)|recipient (?:address )?rejected: (?:access denied|user unknown|undeliverable|unknown)|not a known user|user doesn'?t exist|is not a valid mailbox)\b|(?:邮箱|用户|收件人|帐号|账号|地址|帳號|收件者|信箱)(?:地址)?(?:不存在|无效|未找到|找不到|错误|被禁用|已(?:停用|注销|禁用)|不正确)|不存在的(?:用户|邮箱|收件人)|域名(?:不存在|解析失败|无法解析)|(?:宛先|アドレス|ユーザー?|メールアドレス|ドメイン)(?:名)?[がはに]?(?:不明|存在し(?:ません|ない)|見つかりません|誤りがあります|間違って)|宛先不明|あて先(?:の)?(?:メール)?アドレスが(?:見つかりません|存在しません)/i;
const temporary =
  /\b(?:temporar(?:y|ily)|try again later|timed out|timeout|connection (?:refused|timed)|retry time|expired|delayed|could not be delivered (?:for|within|after)|still (?:trying|being retried)|will (?:keep trying|be retried)|not yet been delivered|too long in the queue|deferred)\b|稍后|暂时|超时|一時的|しばらく(?:たって|して)|遅延/i;

/** Statuses of RFC 3463 and of Exchange that name an address which does not work. */
const hardStatus = /^5\.(?:1\.(?:[0123456]|10|11|20|351)|2\.1|4\.(?:4|310|312))$/;

/** The class and code that the text begins with or names, as "550" and "5.1.1". */
export function codesIn(text: string): { code?: string; status?: string } {
  const match = /(?:^|[^\d.])([245]\d\d)(?:[ -]+#?|#)([245]\.\d{1,3}\.\d{1,3})(?![\d.])/.exec(text);
  if (match) return { code: match[1]!, status: match[2]! };
  const status = /(?:^|[^\d.])#?([245]\.[0-7]\.\d{1,3})(?![\d.])/.exec(text)?.[1];
  const code = /(?:^|[^\d.#-])([45]\d\d)(?=[ :;-]|$)(?![ ]?(?:bytes|kb|mb|\/))/i.exec(text)?.[1];
  return { ...(code && { code }), ...(status && { status }) };
}

const isGeneric = (status: string | undefined) => status === undefined || /^[45]\.0\.0$/.test(status);

/** RFC 3463, RFC 5321 §4.2.3: what a final failure says of the address. In doubt it is soft: only a sure one counts as hard. */
export function severityOf({ status: given, text }: Said): Severity {
  const found = codesIn(text);
  const status = isGeneric(given) ? (found.status ?? given) : given;
  if (full.test(text)) return "soft";
  // A reply in the text is nearer to the cause than a generic status; a 4yz stays temporary whatever its words.
  if (status?.startsWith("4") || (isGeneric(status) && found.code?.startsWith("4"))) return "soft";
  if (status !== undefined && /^5\.(?:2\.[234]|3\.\d+|6\.\d+)$/.test(status)) return "soft";
  if ((status !== undefined && /^5\.1\.[789]$/.test(status)) || notTheAddress.test(text)) return "soft";
  // Some servers refuse an unknown user with 5.7.1.
  if (status?.startsWith("5.7.")) return surelyUnknown.test(text) && !policy.test(text) ? "hard" : "soft";
  if (surelyUnknown.test(text)) return "hard";
  if (policy.test(text)) return "soft";
  return status !== undefined && hardStatus.test(status) ? "hard" : "soft";
}

/** Whether a text speaks of a failed delivery at all. */
export function speaksOfFailure(text: string): boolean {
  return surelyUnknown.test(text) || full.test(text) || temporary.test(text) || policy.test(text);
}
