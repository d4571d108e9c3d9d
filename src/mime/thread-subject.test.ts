import { expect, test } from "vitest";
import { cpuMs } from "../../test/support/cpu.ts";
import { threadSubject } from "./thread-subject.ts";

const base = (subject: string) => threadSubject(subject).base;

test.each(
  [
    "Re: RE: re: Fwd: FW: Fw: AW: Aw: WG: Antw: Antwort: Doorst: SV: Sv: VS: Vs: VB: VL: Ref: RÉF: Rép: Rép. : TR: TR : RES: ENC:",
    "RV: R: RIF: I: Odp: ODP: PD: YNT: Ynt: İLT: ilt: Vá: VÁ: Továbbítás: FS: BLS: TRS: ATB: YML: Ats: Odg: HL: ΑΠ: ΠΡΘ: ΣΧΕΤ:",
    "НА: Отв: Ответ: Пер: Відп: תשובה: השב: הועבר: רד: رد: 回复: 回复： 答复： 答复: 回覆: 转发： 转发: 轉寄: 返信: 転送: 답장: 회신: 전달:",
    "ตอบกลับ: ส่งต่อ: Re：",
  ]
    .join(" ")
    .split(/(?<=[:：]) /),
)("%s is stripped, and may stand alone", (prefix) => {
  expect(base(`${prefix} Hello`)).toBe("hello");
  expect(base(`${prefix}Hello`)).toBe("hello");
  expect(base(`Re: ${prefix} [list] Hello`)).toBe("hello");
  expect(base(prefix)).toBe("");
});

test.each([
  ...["Re[2]: ", "RE [12]: ", "Re(2): ", "Re (3) : ", "Re^2: ", "RE*2: ", "Re2: ", "Re 2: ", "AW[3]: ", "Fwd [x]: "],
  ...["Ｒｅ： ", "Re﹕ ", "Re∶ ", "R.: ", "Weitergeleitet: ", "Přeposláno: ", "Edelleenlähetetty: ", "Re/Fwd: "],
  ...["EXTERNAL: ", "[EXT] ", "[EXTERNAL] Re: ", "*EXTERNAL* ", "{EXTERNAL} ", "(External) ", "<EXT> ", "EXTERNAL - "],
  ...[
    "***SPAM*** ",
    "*****SPAM***** ",
    "*** SPAM *** ",
    "***SPAM(6.5)***",
    "{Spam?} ",
    "[SPAM] ",
    "##SPAM## ",
    "SPAM: ",
  ],
  ...[
    "【外部】",
    "［EXT］ ",
    "[list] [sub] ",
    "[list] Re: [sub] AW: ",
    "RE: [EXTERNAL] Re: EXTERNAL: ",
    "External sender: ",
  ],
  ...[
    "Automatic reply: ",
    "Automatische Antwort: ",
    "Réponse automatique : ",
    "Out of Office: ",
    "Read: ",
    "Not read: ",
  ],
  ...["Accepted: ", "Zugesagt: ", "Canceled event: ", "Undeliverable: ", "Trả lời: ", "إعادة توجيه: "],
  ...["\u200eRe: ", "R\u00ade:\u200b ", "Re:\u00a0", "Re:\u3000", "Re:\t", "\u202bתשובה: ", "re:re:re:Re:"],
])("%j before a subject is stripped", (prefix) => {
  expect(base(`${prefix}Hello, all`)).toBe("hello,all");
});

test.each([
  ["Project Alpha", "projectalpha"],
  ["Project  Alpha ", "projectalpha"],
  ["Pro\u00adject\u200bAlpha", "projectalpha"],
  ["PROJECT\u00a0ALPHA", "projectalpha"],
  ["Ｐｒｏｊｅｃｔ　Ａｌｐｈａ", "projectalpha"],
  ["projet\r\n alpha (fwd)", "projetalpha"],
  ["[Fwd: Re: Hello]", "hello"],
  ["Hello [EXT]", "hello"],
  ["Hello [SEC=OFFICIAL]", "hello"],
  ["Invoice: 5", "5"],
  ["", ""],
])("%j is %j", (subject, expected) => expect(base(subject)).toBe(expected));

test.each([
  "Regarding the plan",
  "AW",
  "[only]",
  "***",
  "10:30 meeting",
  "PROJ-123: broken",
  "v1.2: released",
  "http://example.org/x",
  "Three words here: more",
  "Minutes:",
  "Minutes 5: done",
  "a - b",
  "1 * 2 * 3",
  "回复",
])("of %j nothing is stripped", (subject) => {
  expect(base(subject)).toBe(subject.toLowerCase().replace(/\s/g, ""));
});

test("the stages tell what each step left", () => {
  expect(threadSubject("AW: Invoice: 5").stages).toEqual(["AW: Invoice: 5", "Invoice: 5", "5"]);
  const { stages } = threadSubject(`${"a:".repeat(400)}b`);
  expect(stages).toHaveLength(8);
  expect(stages.at(-1)).toBe("b");
});

test("a long subject of nothing but prefixes is read in time", () => {
  const started = cpuMs();
  for (const piece of ["re: ", "[x]", "*", "* ", "{", "Re [", "é", "ext-", "( spam "])
    threadSubject(piece.repeat(50_000));
  expect(cpuMs() - started).toBeLessThan(1000);
});
