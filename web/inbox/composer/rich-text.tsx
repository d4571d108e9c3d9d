import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import Squire from "squire-rte";
import { t } from "../../messages/composer.ts";
import { fragmentOf, htmlOf } from "./clean.ts";
import { newCid, type Pictures, shownPicture } from "./pictures.ts";
import { textOf } from "./plain.ts";
import { Toolbar } from "./toolbar.tsx";
import type { Writing } from "./writing.ts";

interface Props {
  writing: Writing;
  pictures: Pictures;
  isFocused: boolean;
  /** Pictures from other servers that stand in the quote stay: their reader let them be shown. */
  isRemoteShown: boolean;
}

class Editor extends Squire {
  /** Goes a step back. The original sets HTML as text, which the page's policy forbids. */
  override _setRawHTML(html: string): Squire {
    this._root.replaceChildren(this._config.sanitizeToDOMFragment(html, this));
    if (!this._root.firstChild) this._root.append(this.createDefaultBlock());
    this._ignoreChange = true;
    return this;
  }
}

/** What people do before a text changes. */
const touches = ["keydown", "pointerdown", "beforeinput", "paste", "drop"] as const;

/** Rich text. What is quoted or pasted stands in the page itself, so it is cleaned before, and the editor's box holds its layout. */
export function RichText({ writing, pictures, isFocused, isRemoteShown }: Props) {
  const root = useRef<HTMLDivElement>(null);
  const editor = useSignal<Squire | undefined>(undefined);
  /** Changes where the toolbar may have to look different. */
  const path = useSignal("");

  useEffect(() => {
    const element = root.current!;
    const squire = new Editor(element, {
      blockTag: "DIV",
      sanitizeToDOMFragment: (html: string) => fragmentOf(html, pictures, { isRemoteShown }),
      didError: (error: unknown) => console.error(error),
    });
    squire.setHTML(writing.body.html ?? "");
    squire.moveCursorToStart();
    writing.readBody = () => ({ html: htmlOf(element, pictures), text: textOf(element) });
    // What the editor makes of the text by itself at first is nothing that was written.
    let isTouched = false;
    const touch = () => {
      isTouched = true;
    };
    for (const event of touches) document.addEventListener(event, touch, { capture: true });
    squire.addEventListener("input", () => isTouched && writing.changed());
    squire.addEventListener("pathChange", () => (path.value = squire.getPath()));
    const insertPictures = (files: Iterable<File>) => {
      for (const file of files) insertPicture(squire, file, writing, pictures);
    };
    squire.addEventListener("pasteImage", ((event: CustomEvent<{ clipboardData: DataTransfer }>) => {
      insertPictures([...event.detail.clipboardData.files].filter(({ type }) => shownPicture.test(type)));
    }) as EventListener);
    squire.addEventListener("drop", ((event: DragEvent) => {
      // A browser would put what is dragged from another page in as it is.
      const html = event.dataTransfer?.getData("text/html");
      if (!html || event.dataTransfer!.files.length > 0) return;
      event.preventDefault();
      const range = document.caretRangeFromPoint?.(event.clientX, event.clientY);
      if (range) squire.setSelection(range);
      squire.insertHTML(html, true);
    }) as EventListener);
    editor.value = squire;
    if (isFocused) squire.focus();
    return () => {
      for (const event of touches) document.removeEventListener(event, touch, { capture: true });
      writing.keepBody();
      squire.destroy();
    };
  }, [writing]);

  return (
    <>
      {editor.value && <Toolbar editor={editor.value} path={path} />}
      {/* biome-ignore lint/a11y/useSemanticElements: there is none for rich text. */}
      <div
        ref={root}
        class="composer-text is-rich"
        role="textbox"
        tabIndex={0}
        aria-multiline="true"
        aria-label={t("text")}
        dir="auto"
      />
    </>
  );
}

function insertPicture(squire: Squire, file: File, writing: Writing, pictures: Pictures): void {
  const cid = newCid();
  squire.insertImage(pictures.add(cid, file), { alt: file.name });
  writing.files.add(file, cid);
}
