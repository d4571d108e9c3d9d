import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { oddText, timeFor, tries } from "../../test/support/fuzz.ts";
import { createTestStore } from "../../test/support/postgres.ts";
import { unprepared } from "../store/core/sql.ts";
import type { Store } from "../store/core/store.ts";
import { tsquery } from "../store/email-query/sought.ts";
import { type SearchScope, searchPhrases, searchQuery, TooManyWords } from "./search-query.ts";
import { searchTerms, tsvectorTexts } from "./terms.ts";

let store: Store;
beforeAll(async () => {
  store = await createTestStore();
});

const account = 7;
const scopes: SearchScope[] = ["text", "body", "subject", "from"];
const vocabulary = ["lun", "lunch", "lunchbox", "metro", "meet", "meeting", "7", "777"];
const plainWord = fc.constantFrom(...vocabulary);
/** As a person may write it. */
const written = (word: string) =>
  fc.constantFrom(word, word.toUpperCase(), word.replace("metro", "Métro"), word.replace("e", "é"));

/** One thing asked for: words side by side. */
interface Asked {
  words: string[];
  text: string;
  isNegated: boolean;
  isOpen: boolean;
}

const asked: fc.Arbitrary<Asked> = fc
  .record({
    words: fc.array(plainWord, { minLength: 1, maxLength: 3 }),
    isNegated: fc.boolean(),
    form: fc.constantFrom("plain", "plain", "open", '"', "'"),
    join: fc.constantFrom("-", ".", "@", "_"),
  })
  .chain(({ words, isNegated, form, join }) =>
    fc.tuple(...words.map(written)).map((parts): Asked => {
      const isQuoted = form === '"' || form === "'";
      const inner = isQuoted ? `${form}${parts.join(" ")}${form}` : `${parts.join(join)}${form === "open" ? "*" : ""}`;
      return { words, isNegated, isOpen: form === "open", text: (isNegated ? "-" : "") + inner };
    }),
  );

const mail = fc.record({
  subject: fc.array(plainWord, { maxLength: 6 }),
  from: fc.array(plainWord, { maxLength: 3 }),
  body: fc.array(plainWord, { maxLength: 10 }),
});
type Mail = { subject: string[]; from: string[]; body: string[] };

/** Word by word, as RFC 8621 §4.4.1 describes it. */
function holds(words: string[], { words: wanted, isOpen }: Asked): boolean {
  const fits = (word: string | undefined, at: number) =>
    isOpen && at === wanted.length - 1 ? word?.startsWith(wanted[at]!) : word === wanted[at];
  return words.some((_, start) => wanted.every((_, at) => fits(words[start + at], at)));
}

function matches(mail: Mail, scope: SearchScope, all: Asked[]): boolean {
  const fields = scope === "text" ? [mail.subject, mail.from, mail.body] : [mail[scope as keyof Mail]];
  return all.every((one) => fields.some((words) => holds(words, one)) !== one.isNegated);
}

async function ask(mail: Mail, scope: SearchScope, text: string): Promise<boolean> {
  const query = searchQuery(text, scope, account);
  if (typeof query === "string") return query === "all";
  const terms = searchTerms({
    fields: [
      { field: "subject", text: mail.subject.join(" ") },
      { field: "from", text: mail.from.join(" ") },
    ],
    body: [mail.body.join("\n")],
  });
  const [row] = await store.database.run(
    unprepared<{ found: boolean }>("/* test */ SELECT $1::tsvector @@ $2::tsquery AS found"),
    [tsvectorTexts(terms, account)[0], tsquery(query.sought)],
  );
  return row!.found !== query.negated;
}

test("Postgres finds the same messages as a comparison word by word", { timeout: timeFor(300, 200) }, async () => {
  const texts = fc.array(asked, { maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(
      mail,
      fc.constantFrom(...scopes),
      texts,
      fc.constantFrom(" ", "  ", "\t\n"),
      async (mail, scope, all, space) => {
        const text = all.map((one) => one.text).join(space);
        expect(await ask(mail, scope, text)).toBe(matches(mail, scope, all));
        const phrases = searchPhrases(text).map((phrase) => ({
          words: phrase.map(({ word }) => word),
          isOpen: phrase.at(-1)!.open,
        }));
        const wanted = all.filter((one) => !one.isNegated).map(({ words, isOpen }) => ({ words, isOpen }));
        expect(phrases).toEqual(wanted);
      },
    ),
    tries(300),
  );
});

test("whatever the text is, Postgres can read the query", { timeout: timeFor(300, 200) }, async () => {
  const piece = fc.oneof(
    oddText,
    fc.string({ unit: "binary", maxLength: 12 }),
    fc.string({ unit: "grapheme", maxLength: 12 }),
    fc.constantFrom(
      '"',
      "'",
      "\\",
      "-",
      "*",
      "&",
      "|",
      "!",
      "<->",
      ":*",
      ":D",
      "(",
      ")",
      "東京タワー",
      "ไทย",
      "ﬁ",
      "İ",
      "ß",
      "한국",
    ),
  );
  const text = fc
    .array(piece, { maxLength: 8 })
    .chain((parts) => fc.constantFrom("", " ").map((join) => parts.join(join)));
  await fc.assert(
    fc.asyncProperty(text, fc.constantFrom(...scopes), async (text, scope) => {
      try {
        const query = searchQuery(text, scope, account);
        if (typeof query === "string") return;
        await store.database.run(unprepared("/* test */ SELECT $1::tsquery AS query"), [tsquery(query.sought)]);
      } catch (error) {
        expect(error).toBeInstanceOf(TooManyWords);
      }
    }),
    tries(300),
  );
});
