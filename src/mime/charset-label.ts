import iconv from "iconv-lite";

/** Labels of each charset without punctuation: IANA's, the Encoding Standard's, and those that mail programs use. */
const aliases: Record<string, string> = {
  "utf-8": "utf8 utf8mb4 utf8mb3 unicode11utf8 unicode20utf8 utf8mac utf8sig utf8bom utf8n cp65001 65001 cp1208",
  "us-ascii":
    "usascii ascii ascii8bit us 646 iso646us iso646irv iso646irv1991 iso646kr ksc5636 ansix341968 ansix341986 isoir6 cp367 ibm367 cp20127 7bit",
  // Browsers read it as windows-1252.
  "iso-8859-1":
    "iso88591 iso885911987 latin1 l1 isolatin1 isoir100 cp819 ibm819 88591 isoiec88591 windows28591 ansi cp28591 windows1252http iso88591windows31latin1",
  "windows-1254": "iso88599 iso885991989 latin5 l5 isolatin5 isoir148 88599 cp28599",
  "windows-874": "iso885911 tis620 tis6202533 tis62025330 dos874 cp874 ibm874 isoir166",
  "iso-2022-jp":
    "iso2022jp iso2022jp1 iso2022jp2 iso2022jp3 iso2022jp2004 iso2022jpms iso2022jpext cp50220 cp50221 cp50222 50220 50221 50222 jis jis7 jis8 jisencoding iso2022jp7",
  "iso-2022-kr": "iso2022kr cp50225 50225",
  "iso-2022-cn": "iso2022cn iso2022cnext cp50227 50227",
  "hz-gb-2312": "hz hzgb2312 hzgb cp52936 52936",
  "euc-jp":
    "eucjp ujis eucjpms eucjpwin eucjpopen eucjpascii eucjp2004 eucjis2004 eucjisx0213 eucpkdfmtjapanese extendedunixcodepackedformatforjapanese cp51932 cp20932 51932 20932",
  shift_jis:
    "sjis mskanji sjiswin sjis2004 shiftjisx0213 shiftjis2004 windows31j cp932 ms932 mscp932 cp943 ibm943 windows932 macjapanese cp10001 10001",
  cp949:
    "euckr eucwin windows949 ms949 uhc kscs cp51949 51949 korean ksc56011987 ksc56011989 ksc5601 isoir149 ks5601 cp1363 ibm949 ksc56011992 ksc560187 ksx1001 ksx10011992 ksx10011997 ksx10012002 mackorean cp10003 10003",
  gbk: "cngb gb2312 gb231280 eucgb2312cn euccn eucgb2312 gb2312euc gb231219800 cp936 ms936 windows936 chinese isoir58 cp20936 cp51936 51936 20936 cngbisoir165 macchinesesimp macsimpchinese macsimplifiedchinese cp10008 10008",
  gb18030: "gb180302000 gb180302005 gb180302022 cp54936 54936",
  big5: "cnbig5 big5tw big5eten bigfive xxbig5 windows950 ms950 big52003 big5e macchinesetrad mactradchinese mactraditionalchinese cp10002 10002",
  big5hkscs: "big5hkscs1999 big5hkscs2001 big5hkscs2004 big5hkscs2008",
  maccenteuro:
    "macce maccentraleurope maccentraleurroman maccenteuro maccentraleuropean macintoshce maclatin2 cp10029 10029",
  macintosh: "mac macroman maclatin1 cp10000 10000",
  macgreek: "macgreek cp10006 10006",
  maccyrillic: "maccyrillic macukrainian macukraine cp10007 10007 cp10017",
  macturkish: "macturkish cp10081 10081",
  maciceland: "macicelandic cp10079 10079",
  maccroatian: "maccroatian cp10082 10082",
  macromania: "macromania macromanian cp10010 10010",
  cp858: "cp00858 ibm00858 ccsid00858 cp00850euro pcmultilingual850euro 00858",
  cp850: "pc850multilingual ccsid850",
  cp852: "pcp852",
  cp855: "pcp855",
  cp437: "pc8codepage437 pc8danishnorwegian",
  cp862: "pc862latinhebrew",
  cp1125: "ruscii cp866u cp866ua",
  iso88596: "iso88596e iso88596i",
  iso88597: "suneugreek",
  iso88598: "iso88598e iso88598i logical visual",
  iso885915: "latin0",
  "koi8-r": "koi koi8",
  "koi8-u": "koi8ru",
  pt154: "ptcp154 cp154 cyrillicasian",
  rk1048: "kz1048 strk10482002",
  viscii: "viscii111",
  ucs4: "iso10646ucs4",
  "utf-7": "unicode11utf7 unicode20utf7 cp65000 65000",
  "utf-16": "utf16 unicode ucs2 iso10646ucs2 iso10646 unicodefeff cp1200 unicode11",
  "utf-16be": "utf16be unicodefffe cp1201 unicodebigunmarked",
};

const known = new Map(
  Object.entries(aliases).flatMap(([name, labels]) => labels.split(" ").map((label) => [label, name])),
);

/** iconv-lite also offers base64 and hex as "encodings", which a charset label must not select. */
const notCharsets = /^(base64|hex|binary|internal|_)/;

/** ISO 8859 by number alone or by code page; latin-2 as iso-latin-2; other names of DOS code pages. */
function numbered(squashed: string): string {
  return squashed
    .replace(/^(?:iso)?8859(\d{1,2})(?:198\d|199\d)?$/, "iso8859$1")
    .replace(/^(?:windows|cp)?28(59\d|60[0-9])$/, (_, part: string) => `iso8859${Number(part) - 590}`)
    .replace(/^iso(?=latin\d)/, "")
    .replace(/^(?:dos|windows(?=[3-8]\d\d$)|pc|ccsid0*|msdos)(?=\d)/, "cp")
    .replace(/^(?:win|ansi|ms)(?=125\d$)/, "windows");
}

const found = new Map<string, string | undefined>();
const maxRemembered = 1000;
const maxLabelLength = 100;

/** The name under which we decode a charset; undefined if we cannot. */
export function charsetNamed(label: string): string | undefined {
  if (label.length > maxLabelLength) return undefined;
  const text = label.trim().toLowerCase();
  if (!found.has(text)) {
    if (found.size >= maxRemembered) found.clear();
    found.set(text, charsetOf(text));
  }
  return found.get(text);
}

function charsetOf(text: string): string | undefined {
  if (notCharsets.test(text)) return undefined;
  const squashed = text.replace(/[^a-z0-9]/g, "");
  if (squashed === "") return undefined;
  const plain = squashed.replace(/^(?:x+|cs)(?=[a-z0-9]{3})/, "").replace(/^charset|(?<=[a-z0-9]{3})charset$/, "");
  const forms = [squashed, numbered(squashed), plain, numbered(plain)];
  const name = forms.map((form) => known.get(form)).find((one) => one !== undefined);
  return name ?? forms.find((form) => !notCharsets.test(form) && iconv.encodingExists(form));
}
