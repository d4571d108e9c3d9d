import { computed } from "@preact/signals";
import { prefs } from "./prefs.ts";

/** Text with {names}; a plural form is chosen by {n}. */
export type Message = string | { one: string; other: string };

export const languages = ["en", "de"] as const;
export type Language = (typeof languages)[number];

export const language = computed<Language>(() => {
  const chosen = prefs.value.language;
  if (chosen !== "system") return chosen;
  const wanted = navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase());
  return wanted.map((tag) => languages.find((one) => one === tag)).find((one) => one !== undefined) ?? "en";
});

/** How dates and numbers are written: as where the reader is, if they said so to their browser. */
export const locale = computed<string>(
  () => navigator.languages.find((tag) => tag.toLowerCase().startsWith(`${language.value}-`)) ?? language.value,
);

type NamesIn<S extends string> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | NamesIn<Rest> : never;
type TextsOf<M extends Message> = M extends string ? M : M extends { one: infer A; other: infer B } ? A | B : never;
type Names<M extends Message> = NamesIn<TextsOf<M> & string> | (M extends string ? never : "n");
type Values<M extends Message> = [Names<M>] extends [never] ? [] : [values: Record<Names<M>, string | number>];

export type Translate<C extends Record<string, Message>> = <K extends keyof C>(
  key: K,
  ...values: Values<C[K]>
) => string;

/**
 * Makes a catalogue of one area of the pages. A key that a language lacks, and a value that a text needs, are errors of the type
 * check. Components that call the result render again when the language changes.
 */
export function messages<const C extends Record<string, Message>>(
  catalogue: { en: C } & Record<Exclude<Language, "en">, { [K in keyof C]: C[K] extends string ? string : Message }>,
): Translate<C> {
  return (key, ...[values]) => {
    const message = (catalogue[language.value] as Record<keyof C, Message>)[key];
    const text = typeof message === "string" ? message : message[pluralOf(Number((values as { n?: number })?.n))];
    return text.replace(
      /\{(\w+)\}/g,
      (whole, name: string) => shown((values as Record<string, string | number>)?.[name]) ?? whole,
    );
  };
}

const pluralRules = computed(() => new Intl.PluralRules(language.value));
const numberFormat = computed(() => new Intl.NumberFormat(locale.value));

function pluralOf(n: number): "one" | "other" {
  return pluralRules.value.select(n) === "one" ? "one" : "other";
}

function shown(value: string | number | undefined): string | undefined {
  return typeof value === "number" ? numberFormat.value.format(value) : value;
}

/** A number as people of the language write it. */
export const number = (value: number): string => numberFormat.value.format(value);

const units = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;

/** Octets in the largest unit that fits: "1.4 MB". @public */
export function size(octets: number): string {
  const step = octets < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(octets) / 3));
  const format = {
    style: "unit",
    unit: units[step]!,
    // In English the short name of a byte has no plural.
    unitDisplay: step === 0 ? "long" : "short",
    maximumFractionDigits: step > 1 ? 1 : 0,
  } as const;
  return new Intl.NumberFormat(locale.value, format).format(octets / 1000 ** step);
}
