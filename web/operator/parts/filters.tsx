import type { ComponentChildren } from "preact";
import { t } from "../../messages/operator/parts.ts";
import { Button } from "../../shared/button.tsx";
import { narrow, route } from "../route.ts";

/** What a list is narrowed by; it takes effect with Enter, with the button, and when a choice changes. */
export function Filters({
  label,
  children,
  hasButton = true,
}: {
  label: string;
  children: ComponentChildren;
  /** Choices alone need none. */
  hasButton?: boolean;
}) {
  const apply = (form: HTMLFormElement) =>
    narrow(Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value).trim()])));
  return (
    <search>
      <form
        class="filters"
        aria-label={label}
        onSubmit={(event) => {
          event.preventDefault();
          apply(event.currentTarget);
        }}
        onChange={(event) => {
          if (event.target instanceof HTMLSelectElement) apply(event.currentTarget);
        }}
      >
        {children}
        {hasButton && (
          <Button submits icon="search">
            {t("search")}
          </Button>
        )}
      </form>
    </search>
  );
}

interface FieldProps {
  name: string;
  label: string;
  hint?: string;
}

export function TextFilter({ name, label, hint }: FieldProps) {
  const value = route.value.filter[name] ?? "";
  return (
    <label class="field">
      <span>{label}</span>
      <input
        key={value}
        class="input"
        type="search"
        name={name}
        defaultValue={value}
        placeholder={hint}
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
      />
    </label>
  );
}

export function ChoiceFilter({
  name,
  label,
  choices,
}: FieldProps & { choices: readonly [value: string, words: string][] }) {
  const value = route.value.filter[name] ?? "";
  return (
    <label class="field">
      <span>{label}</span>
      <select key={value} class="input" name={name}>
        {choices.map(([one, words]) => (
          <option key={one} value={one} selected={one === value}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
}
