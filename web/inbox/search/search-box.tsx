import { useRef } from "preact/hooks";
import { t } from "../../messages/shell.ts";
import { Icon } from "../../shared/icons.tsx";
import { useKeys } from "../../shared/keys.ts";
import { go, route } from "../route.ts";

/** The field at the top. A search is a place of its own: #/search/… */
export function SearchBox() {
  const input = useRef<HTMLInputElement>(null);
  const { place } = route.value;
  useKeys(() => t("keysGeneral"), [{ keys: ["/"], label: () => t("search"), run: () => input.current?.focus() }]);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const query = input.current?.value.trim() ?? "";
    go({ place: query === "" ? { kind: "mailbox", key: "inbox" } : { kind: "search", query } });
  };
  return (
    <search class="search">
      <form onSubmit={submit}>
        <Icon name="search" />
        <input
          ref={input}
          class="input"
          type="search"
          aria-label={t("search")}
          placeholder={t("search")}
          key={place.kind === "search" ? place.query : ""}
          defaultValue={place.kind === "search" ? place.query : ""}
        />
      </form>
    </search>
  );
}
