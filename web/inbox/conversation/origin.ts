/**
 * What is known of who sent a mail, in a reader's terms. It rests on the Authentication-Results (RFC 8601) of our own
 * server alone: anybody can write such a field in the name of another.
 */
export interface Origin {
  /**
   * `proved`: the author's domain sent it. `forged`: that domain says it did not. `unproved`: nothing shows who did.
   * `unsure`: it could not be found out. `unknown`: it was not checked, as for drafts and mail between users here.
   */
  verdict: "proved" | "forged" | "unproved" | "unsure" | "unknown";
  /** The domain of the author's address; "" if there is none. */
  domain: string;
  /** What each method said, for those who want to know: `dkim`, `pass`, `example.org`. */
  results: Result[];
}

export interface Result {
  method: string;
  result: string;
  /** The domain or address that it is about; "" if it names none. */
  about: string;
}

/** Values of all Authentication-Results fields, topmost first, and the name our server gives itself in them. */
export function readOrigin(fields: readonly string[], serverName: string | undefined, author: string): Origin {
  const domain = author.slice(author.lastIndexOf("@") + 1).toLowerCase();
  const ours = fields.map(parseResults).find(({ by }) => by !== "" && by === serverName?.toLowerCase());
  if (!ours) return { verdict: "unknown", domain, results: [] };
  return { verdict: verdictOf(ours.results, domain), domain, results: ours.results };
}

function verdictOf(results: Result[], domain: string): Origin["verdict"] {
  const of = (method: string, result: string) =>
    results.filter((one) => one.method === method && one.result === result);
  const dmarc = results.filter(({ method }) => method === "dmarc");
  if (dmarc.some(({ result }) => result === "fail" || result === "permerror")) return "forged";
  if (domain === "") return "unproved";
  // Of several authors, each must be proved: a reader takes any of them for the sender.
  const passed = dmarc.filter(({ result }) => result === "pass");
  if (passed.length > 0 && passed.length === dmarc.length && passed.some(({ about }) => about === domain))
    return "proved";
  const signers = [...of("dkim", "pass"), ...of("spf", "pass")].map(({ about }) => about);
  if (dmarc.length <= 1 && signers.some((signer) => speaksFor(signer, domain))) return "proved";
  if (results.some(({ result }) => result === "temperror")) return "unsure";
  return "unproved";
}

/** The signing domain is the author's or one above it: never one below, which may be a customer's. */
function speaksFor(signer: string, domain: string): boolean {
  const name = signer.slice(signer.lastIndexOf("@") + 1);
  return name === domain || (name.includes(".") && domain.endsWith(`.${name}`));
}

const subjects: Record<string, string[]> = {
  dmarc: ["header.from"],
  dkim: ["header.d", "header.i"],
  spf: ["smtp.mailfrom", "smtp.helo"],
};

/** RFC 8601 §2.2, as this server writes it. */
function parseResults(value: string): { by: string; results: Result[] } {
  const [name = "", ...rows] = splitAtSemicolons(withoutComments(value));
  const results = rows.flatMap((row) => {
    const [, method, result] = /^\s*([\w-]+)(?:\/\d+)?\s*=\s*(\w+)/.exec(row) ?? [];
    if (method === undefined || result === undefined) return [];
    const properties = new Map(
      [...row.matchAll(/([a-z]+\.[a-z-]+)\s*=\s*"?([^\s"]+)"?/gi)].map(([, key, of]) => [key!.toLowerCase(), of!]),
    );
    const key = subjects[method.toLowerCase()]?.find((one) => properties.has(one));
    const about = (key === undefined ? "" : properties.get(key)!).toLowerCase().replace(/^@/, "");
    return [{ method: method.toLowerCase(), result: result.toLowerCase(), about }];
  });
  return { by: name.trim().split(/\s/)[0]!.toLowerCase(), results };
}

function splitAtSemicolons(text: string): string[] {
  return text.match(/(?:"(?:[^"\\]|\\.)*"|[^;"]|")+|(?<=;)(?=;)/gs) ?? [];
}

/** Comments (RFC 5322 §3.2.2) may be nested, and hold anything. */
function withoutComments(text: string): string {
  let depth = 0;
  let isQuoted = false;
  let plain = "";
  for (let index = 0; index < text.length; index++) {
    const char = text[index]!;
    if (char === "\\") {
      if (depth === 0) plain += text.slice(index, index + 2);
      index++;
    } else if (char === '"' && depth === 0) {
      isQuoted = !isQuoted;
      plain += char;
    } else if (char === "(" && !isQuoted) depth++;
    else if (char === ")" && depth > 0) {
      depth--;
      plain += " ";
    } else if (depth === 0) plain += char;
  }
  return plain;
}
