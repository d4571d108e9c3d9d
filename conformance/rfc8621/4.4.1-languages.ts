import type { EmailOptions } from "../runner/context.ts";
import { defineTests } from "../runner/define.ts";
import { sameMembers } from "../runner/expect.ts";
import { mailGroup, query, table } from "./support.ts";

type Row = {
  id: string;
  says: string;
  /** What is asked for; it stands in the first text and not in the second. */
  asked: readonly string[];
  text: string;
  other: string;
  type?: string;
};

const caseless = "Text SHOULD be matched in a case-insensitive manner.";
const word = "body: Looks for the text in one of the body parts of the message.";
const readable = `${word} (As people type it: with or without accents, points and what nobody sees.)`;
const unspaced = `${word} (In a script that parts no words, any part of the text.)`;
const markup =
  'When searching inside a "text/html" body part, any text considered markup rather than content SHOULD be ignored.';

const rows: Row[] = [
  { id: "german-sharp-s", says: caseless, asked: ["STRASSE", "straße"], text: "die Straße", other: "die Strafe" },
  { id: "german-umlaut", says: caseless, asked: ["ÜBERMÄSSIG"], text: "viel, ja übermäßig viel", other: "mäßig" },
  { id: "greek-sigma", says: caseless, asked: ["ΔΡΟΜΟΣ", "δρομος"], text: "ένας δρόμος", other: "τρόμος" },
  { id: "turkish-i", says: caseless, asked: ["İSTANBUL", "istanbul"], text: "yine İstanbul", other: "yine Ankara" },
  { id: "cyrillic", says: caseless, asked: ["МОСКВА"], text: "город Москва", other: "город Минск" },
  { id: "armenian", says: caseless, asked: ["ԵՐԵՎԱՆ"], text: "քաղաք Երևան", other: "քաղաք Գյումրի" },
  { id: "accents-french", says: readable, asked: ["ete", "été"], text: "un été à la mer", other: "un hiver" },
  { id: "accents-vietnamese", says: readable, asked: ["nguoi", "người"], text: "mọi người", other: "mọi nơi" },
  { id: "accents-decomposed", says: readable, asked: ["café"], text: "un cafe\u0301 noir", other: "un thé" },
  { id: "letter-polish", says: readable, asked: ["lodz", "Łódź"], text: "miasto Łódź", other: "miasto Gdańsk" },
  { id: "letter-danish", says: readable, asked: ["kobenhavn", "København"], text: "i København", other: "i Aarhus" },
  { id: "letter-croatian", says: readable, asked: ["dak", "đak"], text: "dobar đak", other: "dobar dan" },
  { id: "yo", says: readable, asked: ["елка", "ёлка"], text: "новогодняя ёлка", other: "новогодний стол" },
  { id: "ligature", says: readable, asked: ["final", "oeuf"], text: "the ﬁnal œuf", other: "the film" },
  { id: "full-width", says: readable, asked: ["abc123"], text: "see ＡＢＣ１２３ there", other: "see ＡＢＣ" },
  { id: "hebrew-points", says: readable, asked: ["שלום"], text: "שָׁלוֹם לכולם", other: "תודה לכולם" },
  { id: "arabic-marks", says: readable, asked: ["كتاب"], text: "كِتَابٌ جديد", other: "كلب جديد" },
  { id: "arabic-hamza", says: readable, asked: ["احمد", "أحمد"], text: "من أحمد", other: "من محمود" },
  { id: "arabic-tatweel", says: readable, asked: ["سلام"], text: "ســـلام لكم", other: "كلام لكم" },
  { id: "hindi", says: readable, asked: ["दिल्ली"], text: "नई दिल्ली में", other: "नई दुनिया में" },
  { id: "joiner", says: readable, asked: ["میخواهم", "می‌خواهم"], text: "می‌خواهم بروم", other: "باید بروم" },
  { id: "soft-hyphen", says: readable, asked: ["Oktober"], text: "im Ok\u00adto\u00adber", other: "im Mai" },
  { id: "zero-width-space", says: readable, asked: ["whalebone"], text: "a whale\u200bbone", other: "a whale" },
  {
    id: "soft-hyphen-html",
    says: markup,
    asked: ["Oktober"],
    text: "<p>im Ok&shy;to&shy;ber</p>",
    other: "<p>im Mai</p>",
    type: "html",
  },
  {
    id: "chinese",
    says: unspaced,
    asked: ["北京", "大学", "北京大学", "学生", "生活", "中心"],
    text: "北京大学生活动中心将于周一开放",
    other: "上海图书馆将于周二关闭",
  },
  {
    id: "japanese",
    says: unspaced,
    asked: ["会議", "東京", "タワー", "東京タワー"],
    text: "来週の会議は東京タワーの近くです",
    other: "先週は京都の寺にいました",
  },
  {
    id: "korean",
    says: unspaced,
    asked: ["회의", "회의가"],
    text: "내일 회의가 있습니다",
    other: "내일 시험을 봅니다",
  },
  { id: "thai", says: unspaced, asked: ["ประชุม", "ประจำ"], text: "ขอเชิญประชุมประจำเดือน", other: "ขอบคุณมาก" },
  { id: "lao", says: unspaced, asked: ["ປະຊຸມ"], text: "ພວກເຮົາຈະປະຊຸມກັນ", other: "ຂອບໃຈຫຼາຍ" },
  { id: "khmer", says: unspaced, asked: ["ប្រជុំ"], text: "ការប្រជុំនឹងធ្វើនៅថ្ងៃច័ន្ទ", other: "សូមអរគុណ" },
  { id: "burmese", says: unspaced, asked: ["ရန်ကုန်"], text: "အစည်းအဝေးကိုရန်ကုန်မြို့မှာ", other: "ကျေးဇူးတင်ပါတယ်" },
];

export const languageFilters = defineTests(
  mailGroup("4.4.1", "Email/query: languages"),
  table<Row>(rows, ({ id, says, asked, text, other, type = "text" }) => ({
    id: `search-language-${id}`,
    level: "SHOULD",
    says,
    run: async (t) => {
      const emails: EmailOptions[] = [{ [type]: text }, { [type]: other }];
      const made = await t.emails(emails);
      for (const token of asked) {
        // A server may build its index a moment later.
        await t.eventually(
          async () => sameMembers((await query(t, { body: token })).ids, [made[0]!.id], `ids for ${token}`),
          8000,
        );
      }
    },
  })),
);
