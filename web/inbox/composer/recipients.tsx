import { useSignal } from "@preact/signals";
import { useEffect, useId, useRef } from "preact/hooks";
import { t } from "../../messages/composer.ts";
import { Icon } from "../../shared/icons.tsx";
import type { EmailAddress } from "../../shared/jmap/types.ts";
import { formatAddress, isSame } from "./addresses.ts";
import type { KnownRecipients } from "./known-recipients.ts";
import type { Field, Writing } from "./writing.ts";

interface Props {
  field: Field;
  writing: Writing;
  known: KnownRecipients;
  /** Addresses that the server refused. */
  refused: readonly string[];
  isFocused?: boolean;
}

/** A field of recipients: those chosen, each with a button that removes it, and an input that completes what is typed. */
export function Recipients({ field, writing, known, refused, isFocused = false }: Props) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const faults = useSignal<readonly string[]>([]);
  const options = useSignal<readonly EmailAddress[]>([]);
  const chosen = useSignal(0);
  const typed = writing.typed[field];
  const list = writing[field];
  const isOpen = options.value.length > 0;

  useEffect(() => {
    if (isFocused) input.current?.focus();
  }, []);
  const suggest = () => {
    const text = typed.peek().split(/[,;]/).at(-1) ?? "";
    const all = [...writing.to.peek(), ...writing.cc.peek(), ...writing.bcc.peek()];
    options.value = known.find(text, all);
    chosen.value = 0;
  };
  const settle = () => {
    options.value = [];
    faults.value = writing.settle(field);
  };
  const take = (address: EmailAddress) => {
    const before = typed.peek().split(/[,;]/).slice(0, -1).join(",");
    typed.value = [before, formatAddress(address)].filter((part) => part.trim() !== "").join(", ");
    settle();
    input.current?.focus();
  };
  const remove = (address: EmailAddress) => {
    list.value = list.peek().filter((one) => one !== address);
    writing.changed();
    input.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    const { key } = event;
    const option = options.peek()[chosen.peek()];
    if (isOpen && (key === "ArrowDown" || key === "ArrowUp")) {
      const step = key === "ArrowDown" ? 1 : -1;
      chosen.value = (chosen.peek() + step + options.peek().length) % options.peek().length;
    } else if (isOpen && option && (key === "Enter" || key === "Tab") && !event.ctrlKey && !event.metaKey) take(option);
    else if (isOpen && key === "Escape") options.value = [];
    else if ((key === "Enter" || key === "," || key === ";") && !event.ctrlKey && !event.metaKey) settle();
    else if (key === "Backspace" && typed.peek() === "" && list.peek().length > 0) remove(list.peek().at(-1)!);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const isRefused = ({ email }: EmailAddress) =>
    refused.some((one) => isSame({ name: null, email: one }, { name: null, email }));

  return (
    <div class="composer-field">
      <label for={id}>{t(field)}</label>
      <div class="recipients">
        <ul>
          {list.value.map((address) => (
            <li key={address.email} class={`chip ${isRefused(address) ? "is-bad" : ""}`} title={address.email}>
              <span>{address.name || address.email}</span>
              <button
                type="button"
                aria-label={t("removeRecipient", { address: formatAddress(address) })}
                onClick={() => remove(address)}
              >
                <Icon name="close" />
              </button>
            </li>
          ))}
        </ul>
        <input
          ref={input}
          id={id}
          type="text"
          role="combobox"
          aria-expanded={isOpen}
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          aria-activedescendant={isOpen ? `${id}-${chosen.value}` : undefined}
          aria-invalid={faults.value.length > 0}
          aria-describedby={faults.value.length > 0 ? `${id}-fault` : undefined}
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          value={typed}
          onInput={({ currentTarget }) => {
            typed.value = currentTarget.value;
            faults.value = [];
            writing.changed();
            void known.load().then(suggest);
            suggest();
          }}
          onKeyDown={onKeyDown}
          onPaste={({ currentTarget }) => setTimeout(() => /[,;\n<]/.test(currentTarget.value) && settle())}
          onBlur={settle}
        />
        <div id={`${id}-list`} role="listbox" class="suggestions" aria-label={t("suggestions")} hidden={!isOpen}>
          {options.value.map((address, at) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the field above has the keys.
            <div
              key={address.email}
              id={`${id}-${at}`}
              role="option"
              tabIndex={-1}
              aria-selected={at === chosen.value}
              // Or the field would lose the focus, and settle, before the click.
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => take(address)}
            >
              <span>{address.name || address.email}</span>
              {address.name && <span class="muted">{address.email}</span>}
            </div>
          ))}
        </div>
        {faults.value.map((text) => (
          <p key={text} id={`${id}-fault`} class="fault" role="alert">
            {t("badAddress", { text })}
          </p>
        ))}
      </div>
    </div>
  );
}
