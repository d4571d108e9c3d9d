import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { t as tActions } from "../../messages/actions.ts";
import { t } from "../../messages/list.ts";
import { IconButton } from "../../shared/button.tsx";
import { useKeys } from "../../shared/keys.ts";
import { prefs, setPrefs } from "../../shared/prefs.ts";
import type { EmailList } from "../../shared/store/email-list.ts";
import { announce } from "../../shared/toasts.tsx";
import { VirtualList, type VirtualListHandle } from "../../shared/virtual-list.tsx";
import { undo } from "../actions.ts";
import { fetchTheRest, lazy } from "../lazy.tsx";
import { account as openAccount, theAccount } from "../mail.ts";
import { mailboxName } from "../mailboxes/names.ts";
import { currentMailbox, currentSource } from "../place.ts";
import { route } from "../route.ts";
import { SearchChips } from "../search/chips.tsx";
import { startSearch } from "../search/origin.ts";
import { withBeginnings } from "../search/parse.ts";
import { ActionBar } from "./action-bar.tsx";
import { asking } from "./commands.ts";
import { leavePlace, leftPlace } from "./left-places.ts";
import { openRow } from "./open-row.ts";
import { GapRow, Row } from "./row.tsx";
import { useRowHeight } from "./row-height.ts";
import { clearSelection, cursor, isWhole, selected, toggleAll, toggleSelected } from "./selection.ts";
import { work } from "./work.ts";

const Asked = lazy(() => import("./asked.tsx").then((module) => module.Asked), { isDialog: true });

/** The list of the open mailbox or search: the view of its source. */
export function ConversationList() {
  const account = openAccount.value;
  const source = currentSource.value;
  useEffect(() => {
    if (account && account.mailboxes.peek().size === 0) void account.loadMailboxes().catch(() => {});
  }, [account]);
  if (!account || !source) return <div class="loading" aria-busy="true" />;
  const list = account.openList(source);
  return <ListView key={JSON.stringify([account.id, source])} list={list} />;
}

function ListView({ list }: { list: EmailList }) {
  const account = theAccount();
  const key = JSON.stringify([account.id, list.source]);
  const scrollTop = useRef(0);
  const isBack = useRef(false);
  const handle = useRef<VirtualListHandle>(null);
  const rowHeight = useRowHeight();
  const name = useName();
  useEffect(() => {
    void list.load().then(fetchTheRest, () => {});
    clearSelection();
    cursor.value = leftPlace(key)?.cursor;
    return () => leavePlace(key, { scrollTop: scrollTop.current, cursor: cursor.peek() });
  }, [list]);
  useArrivals(list);
  useKeepCursor(list);
  useReturnFocus();
  useListKeys(list, handle);
  const length = list.length.value;
  const trouble = list.trouble.value;
  useEffect(() => {
    const element = handle.current?.element;
    if (!element || isBack.current) return;
    isBack.current = true;
    element.scrollTop = leftPlace(key)?.scrollTop ?? 0;
  });
  return (
    <>
      <ListHead list={list} name={name} />
      <WholeBar list={list} name={name} />
      <SearchChips />
      {trouble && (
        <p class="notice is-error">
          <span>{t("failed", { reason: trouble.message })}</span>
          <button type="button" class="link" onClick={() => list.retry()}>
            {t("tryAgain")}
          </button>
        </p>
      )}
      {length === undefined && !trouble && <div class="loading" aria-busy="true" />}
      {length === 0 && <Empty />}
      {length !== undefined && length > 0 && (
        <VirtualList
          id="list"
          length={length}
          rowHeight={rowHeight}
          version={list.version.value}
          keyAt={(row) => list.idAt(row)}
          rowOf={(key) => list.indexOf(key)}
          onShow={(from, to) => {
            scrollTop.current = handle.current?.element?.scrollTop ?? 0;
            list.want(from, to);
          }}
          label={t("list", { name })}
          handle={handle}
          render={(row) => {
            const id = list.idAt(row);
            if (id === undefined) return <GapRow key={`gap ${row}`} />;
            return <Row key={id} id={id} row={row} length={length} list={list} account={account} />;
          }}
        />
      )}
      {(asking.value || work.value) && <Asked />}
    </>
  );
}

function useName(): string {
  const { place } = route.value;
  const mailbox = currentMailbox.value;
  // What was searched for stands in the field, and below in chips.
  if (place.kind === "search") return t("results");
  return mailbox ? mailboxName(mailbox) : "";
}

function ListHead({ list, name }: { list: EmailList; name: string }) {
  const n = selected.value.size;
  const length = list.length.value ?? 0;
  const areAll = n > 0 && list.version.value >= 0 && list.knownIds().every((id) => selected.value.has(id));
  const toggleGrouping = () => {
    const conversations = !prefs.peek().conversations;
    setPrefs({ conversations });
    announce(t(conversations ? "grouped" : "ungrouped"));
  };
  return (
    <div class="toolbar list-head">
      <label class="select-all">
        <input
          type="checkbox"
          aria-label={t("selectAll")}
          title={t("selectAll")}
          checked={areAll}
          disabled={length === 0}
          onChange={() => toggleAll(list)}
        />
      </label>
      {n > 0 ? (
        <>
          <h1 class="visually-hidden">{name}</h1>
          <strong class="selected-count">{t("selected", { n: isWhole.value ? length : n })}</strong>
          <ActionBar of="list" />
          <IconButton icon="close" label={t("clear")} onClick={clearSelection} />
        </>
      ) : (
        <>
          <h1 title={name}>{name}</h1>
          <span class="muted list-count">{t(countKey(), { n: length })}</span>
          <IconButton
            icon="conversations"
            label={t("conversations")}
            isPressed={prefs.value.conversations}
            onClick={toggleGrouping}
          />
          {/* Its keys work for the row that the keys are at. */}
          <div hidden>
            <ActionBar of="list" />
          </div>
        </>
      )}
    </div>
  );
}

function countKey() {
  if (route.value.place.kind === "search") return "found";
  return prefs.value.conversations ? "count" : "countFlat";
}

/** When all that was fetched is selected, there may be more of it. */
function WholeBar({ list, name }: { list: EmailList; name: string }) {
  const length = list.length.value ?? 0;
  const known = list.version.value >= 0 ? list.knownIds() : [];
  const areAll = known.length > 0 && known.every((id) => selected.value.has(id));
  if (!areAll || known.length >= length) return null;
  if (isWhole.value) return <p class="notice whole-bar">{t("wholeSelected", { n: length, name })}</p>;
  return (
    <p class="notice whole-bar">
      <span>{t("knownSelected", { n: known.length })}</span>
      <button type="button" class="link" onClick={() => (isWhole.value = true)}>
        {t("selectWhole", { n: length, name })}
      </button>
    </p>
  );
}

function Empty() {
  const { place } = route.value;
  const isInbox = currentMailbox.value?.role === "inbox";
  if (place.kind === "search") return <NothingFound query={place.query} />;
  return <p class="empty muted">{t(isInbox ? "emptyInbox" : "empty")}</p>;
}

/** Whole words are looked for: somebody may have written only the beginnings of some. */
function NothingFound({ query }: { query: string }) {
  const wider = withBeginnings(query);
  return (
    <div class="empty muted">
      <p>{t("emptySearch")}</p>
      {wider !== query && (
        <>
          <p>{t("wholeWords")}</p>
          <button type="button" class="link" onClick={() => startSearch(wider)}>
            {t("searchBeginnings")}
          </button>
        </>
      )}
    </div>
  );
}

/** Says to screen readers that mail came. */
function useArrivals(list: EmailList): void {
  const fresh = list.arrived.value;
  // What came before somebody looked was said then.
  const before = useRef(fresh);
  useEffect(() => {
    if (fresh !== before.current) announce(t("arrived", { n: fresh.length }));
  }, [fresh]);
}

/** Back from a conversation, the focus is where it was. */
function useReturnFocus(): void {
  const { threadId } = route.value;
  const before = useRef(threadId);
  useEffect(() => {
    const hasLeft = before.current !== undefined && threadId === undefined;
    before.current = threadId;
    if (hasLeft && cursor.peek() !== undefined) focusRow(cursor.peek()!);
  }, [threadId]);
}

/** When the row that the keys are at is gone, they are at the one that took its place; a focus that was in the list stays there. */
function useKeepCursor(list: EmailList): void {
  const row = useRef(-1);
  const hadFocus = useRef(false);
  const version = list.version.value;
  // At once, or a key that follows a focus at once finds no place.
  useLayoutEffect(() => {
    const { activeElement } = document;
    const isNowhere = activeElement === null || activeElement === document.body;
    // With its row the focus goes, also when the row is made anew.
    if (!isNowhere) hadFocus.current = activeElement.closest(".list-pane") !== null;
    const id = cursor.peek();
    if (id === undefined) return;
    const at = list.indexOf(id);
    if (at >= 0) {
      row.current = at;
      if (isNowhere && hadFocus.current) focusRow(id);
      return;
    }
    const length = list.length.peek() ?? 0;
    const isPlaced = length > 0 && row.current >= 0;
    const next = isPlaced ? list.idAt(Math.min(row.current, length - 1)) : undefined;
    // Which row that is, a later version of the list tells.
    if (isPlaced && next === undefined) return;
    cursor.value = next;
    if (next !== undefined && (isNowhere || hadFocus.current)) focusRow(next);
  }, [version, cursor.value]);
}

/** So many frames a row may take to be in the page. */
const maxFrames = 30;

/** Focuses the row as soon as it is there, unless the keys are at another by then. */
function focusRow(id: string, frames = 0): void {
  requestAnimationFrame(() => {
    if (cursor.peek() !== id) return;
    const link = document.querySelector<HTMLElement>(`[data-row="${id}"] .row-link`);
    if (link) link.focus({ preventScroll: true });
    else if (frames < maxFrames) focusRow(id, frames + 1);
  });
}

function useListKeys(list: EmailList, handle: { current: VirtualListHandle | null }): void {
  const move = (by: number) => {
    const { threadId } = route.peek();
    const at = cursor.peek() === undefined ? -1 : list.indexOf(cursor.peek()!);
    const row = at < 0 ? 0 : Math.max(0, Math.min((list.length.peek() ?? 0) - 1, at + by));
    const id = list.idAt(row);
    handle.current?.reveal(row);
    if (id === undefined) return;
    cursor.value = id;
    if (threadId !== undefined) openRow(id, { replace: true });
    else focusRow(id);
  };
  const atCursor = (act: (id: string) => void) => () => {
    const id = cursor.peek();
    if (id !== undefined) act(id);
  };
  const hasCursor = () => cursor.peek() !== undefined;
  const isList = () =>
    document.activeElement?.closest(".list-pane, body") !== null &&
    document.activeElement?.closest(".reading-pane") == null;
  useKeys(
    () => t("conversation"),
    [
      { keys: ["j"], label: () => t("next"), run: () => move(1) },
      { keys: ["k"], label: () => t("previous"), run: () => move(-1) },
      { keys: ["ArrowDown"], label: () => t("next"), run: () => move(1), when: isList },
      { keys: ["ArrowUp"], label: () => t("previous"), run: () => move(-1), when: isList },
      { keys: ["o"], label: () => t("open"), run: atCursor((id) => openRow(id)), when: hasCursor },
      { keys: ["x"], label: () => t("toggle"), run: atCursor(toggleSelected), when: hasCursor },
      { keys: ["Escape"], label: () => t("clear"), run: clearSelection, when: () => selected.peek().size > 0 },
      { keys: ["z"], label: () => tActions("undo"), run: undo },
    ],
  );
}
