import { domainToUnicode } from "node:url";
import { normalized } from "../../base/normalize.ts";
import type { Mark } from "./evidence.ts";
import type { Link } from "./visible.ts";

const shownHost = /^(?:https?:\/\/)?((?:[\p{L}\p{N}-]+\.)+\p{L}{2,})(?=$|[/:?#])/iu;

const maxMarks = 5;

/** The links whose text names another host than they lead to. */
export function linkMarks(links: readonly Link[]): Mark[] {
  return links
    .filter(namesAnotherHost)
    .slice(0, maxMarks)
    .map(({ host, text }) => {
      const shown = text.trim().slice(0, 80);
      return { kind: "link", text: `the link "${shown}" leads to ${host}`, shown, actual: host };
    });
}

/** The text of a link is a web address of another host, as in phishing. Hosts of one organization are let pass. */
export function namesAnotherHost({ host, text }: Link): boolean {
  const shown = shownHost.exec(text.trim())?.[1]?.toLowerCase();
  if (shown === undefined) return false;
  const named = URL.parse(`http://${shown}`)?.hostname ?? shown;
  return organization(named) !== organization(host);
}

/** Without a list of public suffixes: the last two labels, or three where the second last is short (co.uk). */
function organization(host: string): string {
  const labels = host.split(".");
  const isShort = labels.length > 2 && labels.at(-2)!.length <= 3;
  return labels.slice(isShort ? -3 : -2).join(".");
}

/** Letters that readers take for others, in domain names (UTS 39 has many more; these are what forgers use). */
const alike: Record<string, string> = {
  "0": "o",
  "1": "l",
  "3": "e",
  "5": "s",
  i: "l",
  ı: "l",
  ǀ: "l",
  "|": "l",
  а: "a",
  в: "b",
  с: "c",
  ԁ: "d",
  е: "e",
  ё: "e",
  һ: "h",
  і: "l",
  ї: "l",
  ј: "j",
  к: "k",
  ӏ: "l",
  м: "m",
  н: "h",
  о: "o",
  р: "p",
  ԛ: "q",
  ѕ: "s",
  т: "t",
  υ: "u",
  ν: "v",
  ѵ: "v",
  ԝ: "w",
  х: "x",
  у: "y",
  α: "a",
  ε: "e",
  ι: "l",
  κ: "k",
  ο: "o",
  ρ: "p",
  τ: "t",
  χ: "x",
};

/** What a domain looks like: two domains with the same shape can be taken for each other. */
export function shapeOf(domain: string): string {
  const readable = domainToUnicode(domain.toLowerCase()) || domain.toLowerCase();
  const plain = normalized(readable, "NFKD").replace(/\p{M}/gu, "");
  return [...plain]
    .map((letter) => alike[letter] ?? letter)
    .join("")
    .replaceAll("rn", "m")
    .replaceAll("vv", "w")
    .replaceAll("cl", "d")
    .replaceAll("-", "");
}
