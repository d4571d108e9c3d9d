import { useEffect, useRef } from "preact/hooks";
import { t } from "../../messages/composer.ts";
import type { Writing } from "./writing.ts";

/** Plain text, for those who want it and for keyboards that a rich editor cannot follow. */
export function PlainText({ writing, isFocused }: { writing: Writing; isFocused: boolean }) {
  const area = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    const element = area.current!;
    writing.readBody = () => ({ text: element.value, html: undefined });
    element.setSelectionRange(0, 0);
    if (isFocused) element.focus();
    return () => {
      writing.keepBody();
    };
  }, [writing]);
  return (
    <textarea
      ref={area}
      class="composer-text"
      aria-label={t("text")}
      dir="auto"
      defaultValue={writing.body.text}
      onInput={() => writing.changed()}
    />
  );
}
