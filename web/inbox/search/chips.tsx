import { t } from "../../messages/search.ts";
import { Icon } from "../../shared/icons.tsx";
import { theAccount } from "../mail.ts";
import { route } from "../route.ts";
import { leaveSearch, startSearch } from "./origin.ts";
import { type Chip, parseSearch, without } from "./parse.ts";
import { contextOf } from "./source.ts";

/** What the open search asks for, each condition with a way to take it off. */
export function SearchChips() {
  const { place } = route.value;
  if (place.kind !== "search") return null;
  const { query } = place;
  const context = contextOf(theAccount());
  const { chips } = parseSearch(query, context);
  const isEverywhere = chips.some(({ kind, isNot, isUnknown }) => kind === "in" && !isNot && !isUnknown);
  const remove = (chip: Chip) => {
    const rest = without(query, chip);
    if (rest === "") leaveSearch();
    else startSearch(rest);
  };
  return (
    <div class="search-chips">
      <ul aria-label={t("conditions")}>
        {chips.map((chip) => (
          <li
            key={`${chip.start}`}
            class={`chip ${chip.isUnknown ? "is-unknown" : ""}`}
            title={chip.isUnknown && t("asWords")}
          >
            <span dir="auto">{shown(chip)}</span>
            <button
              type="button"
              class="chip-remove"
              aria-label={t("remove", { what: shown(chip) })}
              onClick={() => remove(chip)}
            >
              <Icon name="close" />
            </button>
          </li>
        ))}
      </ul>
      {!isEverywhere && (
        <button type="button" class="link is-small" onClick={() => startSearch(`${query} in:anywhere`)}>
          {t("everywhere")}
        </button>
      )}
    </div>
  );
}

function shown({ kind, value, isNot }: Chip): string {
  const condition = kind === "text" ? value : `${kind}: ${value}`;
  return isNot ? `${t("not")} ${condition}` : condition;
}
