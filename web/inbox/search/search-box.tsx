import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import { t } from "../../messages/search.ts";
import { t as tShell } from "../../messages/shell.ts";
import { IconButton } from "../../shared/button.tsx";
import { Icon, type IconName } from "../../shared/icons.tsx";
import { useKeys } from "../../shared/keys.ts";
import { account as openAccount } from "../mail.ts";
import { route } from "../route.ts";
import { leaveSearch, startSearch } from "./origin.ts";
import { type Operator, tokensOf } from "./parse.ts";
import { findPeople } from "./people.ts";
import { contextOf } from "./source.ts";
import { type Age, type Correspondent, type Suggestion, suggest } from "./suggest.ts";

/** The field at the top, with suggestions. A search is a place of its own: #/search/… */
export function SearchBox() {
  const { place } = route.value;
  // Another search, such as one by Back, begins with its own text.
  return (
    <Field key={place.kind === "search" ? place.query : ""} query={place.kind === "search" ? place.query : undefined} />
  );
}

const people = new Set<Operator>(["from", "to", "cc", "bcc"]);
const restMs = 120;

function Field({ query }: { query: string | undefined }) {
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(query ?? "");
  const [isOpen, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const found = usePeople(text, isOpen);
  const account = openAccount.value;
  const suggestions = useMemo(
    () => (account && isOpen ? suggest(text, { people: found, mailboxes: contextOf(account).mailboxes }) : []),
    [account, text, isOpen, found],
  );
  const id = useId();
  const isShown = isOpen && suggestions.length > 0;

  const close = () => {
    setOpen(false);
    setAt(-1);
  };
  const search = (wanted: string) => {
    close();
    input.current?.blur();
    if (wanted.trim() === "") leaveSearch();
    else startSearch(wanted.trim());
  };
  const take = ({ text: whole, kind }: Suggestion) => {
    setText(whole);
    setAt(-1);
    input.current?.focus();
    if (kind !== "operator") setOpen(false);
  };
  const leave = () => {
    close();
    if (query === undefined) setText("");
    input.current?.blur();
    leaveSearch();
  };

  useKeys(
    () => tShell("keysGeneral"),
    [
      { keys: ["/"], label: () => t("search"), run: () => input.current?.select() },
      {
        keys: ["Escape"],
        label: () => t("back"),
        run: leaveSearch,
        when: () => route.peek().place.kind === "search" && route.peek().threadId === undefined,
      },
    ],
  );

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") {
      // The browser would empty the field.
      event.preventDefault();
      event.stopPropagation();
      if (isShown) close();
      else leave();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setOpen(true);
      const count = suggestions.length + 1;
      setAt(count === 1 ? -1 : ((at + 1 + (event.key === "ArrowDown" ? 1 : count - 1)) % count) - 1);
    } else if (event.key === "Tab" && isShown && at < 0 && !event.shiftKey && suggestions[0]?.kind === "operator") {
      event.preventDefault();
      take(suggestions[0]);
    } else if (event.key === "Enter") {
      event.preventDefault();
      const chosen = isShown ? suggestions[at] : undefined;
      if (chosen) take(chosen);
      else search(text);
    }
  };

  return (
    <search class="search">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          search(text);
        }}
      >
        <Icon name="search" />
        <input
          ref={input}
          class="input"
          type="search"
          list={undefined}
          enterKeyHint="search"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          // biome-ignore lint/a11y/noRedundantRoles: without a list it is none by itself.
          role="combobox"
          aria-expanded={isShown}
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          aria-activedescendant={isShown && at >= 0 ? `${id}-${at}` : undefined}
          aria-label={t("search")}
          placeholder={t("hint")}
          value={text}
          onInput={({ currentTarget }) => {
            setText(currentTarget.value);
            setAt(-1);
            setOpen(true);
          }}
          onBlur={close}
          onKeyDown={onKeyDown}
        />
        {(text !== "" || query !== undefined) && (
          <IconButton icon="close" label={t("clear")} class="search-clear" onClick={leave} />
        )}
      </form>
      {isShown && (
        <div class="suggestions" id={`${id}-list`} role="listbox" aria-label={t("suggestions")}>
          {suggestions.map((one, index) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: keys go to the field.
            // biome-ignore lint/a11y/useFocusableInteractive: likewise.
            <div
              key={one.text}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === at}
              class={index === at ? "suggestion is-at" : "suggestion"}
              // So that the field keeps the focus.
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => take(one)}
            >
              <Icon name={icons[one.kind]} />
              <bdi>{one.kind === "date" ? t(`age-${one.label as Age}`) : one.label}</bdi>
              <bdi class="muted">{one.kind === "operator" ? t(`operator-${one.detail as Operator}`) : one.detail}</bdi>
            </div>
          ))}
        </div>
      )}
    </search>
  );
}

const icons: Record<Suggestion["kind"], IconName> = {
  operator: "search",
  person: "reply",
  mailbox: "folder",
  state: "tag",
  date: "clock",
};

/** Those whose name begins as the last word does, once typing rests. */
function usePeople(text: string, isOn: boolean): Correspondent[] {
  const [found, setFound] = useState<Correspondent[]>([]);
  const last = /\s$/.test(text) ? undefined : tokensOf(text).at(-1);
  const isPerson = last !== undefined && (last.operator === undefined || people.has(last.operator));
  const begun = isOn && isPerson ? last.value : "";
  const field = (last?.operator ?? "from") as "from" | "to" | "cc" | "bcc";
  useEffect(() => {
    const account = openAccount.peek();
    if (begun.length < 2 || !account) return setFound([]);
    let isWanted = true;
    const timer = setTimeout(() => {
      findPeople(account, field, begun).then(
        (people) => isWanted && setFound(people),
        () => {},
      );
    }, restMs);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [field, begun]);
  return found;
}
