import type { ComponentChild, ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../../messages/operator/parts.ts";
import { t as tShell } from "../../messages/operator/shell.ts";
import { Button } from "../../shared/button.tsx";
import { useKeys } from "../../shared/keys.ts";
import { toast } from "../../shared/toasts.tsx";
import { go, href, type PlaceName } from "../route.ts";
import { mayChange } from "../session.ts";
import type { Fetched, Pages } from "./fetched.ts";
import { OwnIcon, type OwnIconName } from "./icon.tsx";
import { exact, relative } from "./times.ts";

interface Props {
  title: string;
  /** A sentence of what is here. */
  about?: ComponentChild;
  /** Beside the title. */
  actions?: ComponentChild;
  /** The list that a page of one thing belongs to. */
  back?: PlaceName;
  children: ComponentChildren;
}

/** A screen: its title, what one can do there, and what it shows. */
export function Page({ title, about, actions, back, children }: Props) {
  const head = useRef<HTMLHeadingElement>(null);
  useEffect(() => head.current?.focus({ preventScroll: true }), [title]);
  return (
    <>
      <header class="page-head">
        {back && (
          <a class="back-link" href={href({ place: back })}>
            ‹ {tShell(back)}
          </a>
        )}
        <div class="page-title">
          <h1 ref={head} tabIndex={-1} dir="auto">
            {title}
          </h1>
          {actions && <div class="page-actions">{actions}</div>}
        </div>
        {about && <p class="muted">{about}</p>}
      </header>
      {back && <BackKey place={back} />}
      {children}
    </>
  );
}

function BackKey({ place }: { place: PlaceName }) {
  useKeys(() => tShell(place), [{ keys: ["u", "Escape"], label: () => tShell("back"), run: () => go({ place }) }]);
  return null;
}

export function Card({
  title,
  actions,
  children,
  class: more = "",
}: {
  title?: string;
  actions?: ComponentChild;
  children: ComponentChildren;
  class?: string;
}) {
  return (
    <section class={`panel ${more}`}>
      {title && (
        <header class="panel-head">
          <h2>{title}</h2>
          {actions}
        </header>
      )}
      {children}
    </section>
  );
}

/** What was fetched, or that it is on its way, or why not. */
export function Shown<T>({ fetched, children }: { fetched: Fetched<T>; children(value: T): ComponentChild }) {
  const { value, fault } = fetched;
  return (
    <>
      <Fault text={fault} />
      {value !== undefined ? children(value) : fault === "" && <Waiting />}
    </>
  );
}

export function Fault({ text }: { text: string }) {
  if (text === "") return null;
  return (
    <p class="notice is-error" role="alert">
      {t("notLoaded", { reason: text })}
    </p>
  );
}

const Waiting = () => (
  <p class="muted waiting" aria-busy="true">
    {t("loading")}
  </p>
);

interface ListProps<T> {
  pages: Pages<T>;
  /** Names the table for screen readers. */
  label: string;
  /** Heads of the columns. */
  columns: readonly string[];
  empty: string;
  children(row: T): ComponentChild;
}

/** A table that grows page by page. On a phone each row is a card. */
export function List<T>({ pages, label, columns, empty, children }: ListProps<T>) {
  const { rows, fault, isLoading, isGrowing, more } = pages;
  return (
    <div class="panel is-table" aria-busy={isLoading}>
      <Fault text={fault} />
      {rows === undefined ? (
        fault === "" && <Waiting />
      ) : rows.length === 0 ? (
        <p class="empty">{empty}</p>
      ) : (
        <div class="table-scroll">
          <table aria-label={label}>
            <thead>
              <tr>
                {columns.map((name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>{rows.map((row) => children(row))}</tbody>
          </table>
        </div>
      )}
      {more && (
        <p class="table-more">
          <Button onClick={more} disabled={isGrowing}>
            {t("more")}
          </Button>
        </p>
      )}
    </div>
  );
}

/** A cell; `label` is the head of its column, which a phone shows beside it. */
export function Cell({ label, children, class: more }: { label: string; children: ComponentChildren; class?: string }) {
  return (
    <td data-label={label} class={more}>
      {children}
    </td>
  );
}

/** When, in passing; the exact time is a hint. */
export function Time({ at }: { at: string }) {
  return (
    <time dateTime={at} title={exact(at)}>
      {relative(at)}
    </time>
  );
}

export type State = "good" | "warn" | "bad" | "unknown";

/** A word with a colour and a sign, so that it does not hang on the colour. */
export function Badge({ state, children }: { state: State; children: ComponentChildren }) {
  return (
    <span class={`badge is-${state}`}>
      <OwnIcon name={state as OwnIconName} />
      {children}
    </span>
  );
}

export function CopyButton({ text, what }: { text: string; what: string }) {
  const copy = () => void navigator.clipboard?.writeText(text).then(() => toast({ text: t("copied") }));
  return (
    <button type="button" class="icon-button" aria-label={t("copyThis", { what })} title={t("copy")} onClick={copy}>
      <OwnIcon name="copy" />
    </button>
  );
}

export function AgainButton({ fetched }: { fetched: Pick<Fetched<unknown>, "again" | "isLoading"> }) {
  return (
    <button
      type="button"
      class={`icon-button ${fetched.isLoading ? "is-turning" : ""}`}
      aria-label={t("again")}
      title={t("again")}
      onClick={() => void fetched.again()}
    >
      <OwnIcon name="again" />
    </button>
  );
}

/** Does something at the server, and says what came of it. Resolves with whether it was done. */
export async function attempt(work: () => Promise<unknown>, done = t("done")): Promise<boolean> {
  try {
    await work();
    toast({ text: done });
    return true;
  } catch (error) {
    toast({ text: (error as Error).message, isError: true });
    return false;
  }
}

/** Only for those who may change something. */
export function Changing({ children }: { children: ComponentChildren }) {
  return mayChange.value ? children : null;
}
