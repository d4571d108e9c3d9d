import { signal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { prefs } from "./prefs.ts";

/** What a key does. Each of these also has a button somewhere. */
export interface KeyAction {
  /** As in `KeyboardEvent.key`, with "Ctrl+", or two single keys in a row: "g i". Command counts as Ctrl. */
  keys: readonly string[];
  /** What `?` says it does. */
  label: () => string;
  run(): void;
  /** False: the key is left to what lies below. (Default: always) */
  when?(): boolean;
  /** Also while something is written; for Ctrl+… and Escape. */
  whileTyping?: boolean;
}

interface Layer {
  title: () => string;
  actions: readonly KeyAction[];
  /** Nothing below hears a key: a dialog. */
  isModal: boolean;
}

/** The newest last, which hears first. */
export const layers = signal<readonly Layer[]>([]);

const sequenceMs = 1_500;
let first = "";
let firstAt = 0;

/** Keys that work while the component is shown. The newest component hears first. */
export function useKeys(
  title: () => string,
  actions: readonly KeyAction[],
  { isModal = false, isOn = true } = {},
): void {
  const layer = useRef<Layer>({ title, actions, isModal });
  // The actions close over what the component last rendered.
  Object.assign(layer.current, { title, actions, isModal });
  // At once: a dialog that has just closed would still take the next key, and not let go of it.
  useLayoutEffect(() => {
    if (!isOn) return;
    const { current } = layer;
    layers.value = [...layers.peek(), current];
    return () => {
      layers.value = layers.peek().filter((one) => one !== current);
    };
  }, [isOn]);
}

/** Hands a key on to the actions, as if it had been pressed in the page: a frame has keys of its own. Returns whether one took it. */
export function press(event: KeyboardEvent): boolean {
  const isTyping = isField(event.target);
  const name = nameOf(event);
  if (name === undefined || event.isComposing || (event.repeat && name.length > 1 && !name.startsWith("Arrow")))
    return false;
  const isSingle = name.length === 1;
  if (isSingle && (isTyping || !prefs.peek().singleKeys)) return false;
  const sequence =
    isSingle && first !== "" && performance.now() - firstAt < sequenceMs ? `${first} ${name}` : undefined;
  first = "";
  for (const wanted of sequence ? [sequence, name] : [name]) {
    const action = find(wanted, isTyping);
    if (action === "begins") {
      first = name;
      firstAt = performance.now();
    } else if (action) action.run();
    if (action) {
      event.preventDefault();
      return true;
    }
  }
  return false;
}

function find(name: string, isTyping: boolean): KeyAction | "begins" | undefined {
  for (const { actions, isModal } of layers.peek().toReversed()) {
    const fitting = actions.filter((one) => (!isTyping || one.whileTyping) && one.when?.() !== false);
    const action = fitting.find(({ keys }) => keys.includes(name));
    if (action) return action;
    if (fitting.some(({ keys }) => keys.some((key) => key.startsWith(`${name} `)))) return "begins";
    if (isModal) return undefined;
  }
  return undefined;
}

/** Shift counts for letters and signs by what it makes of them: "I", "#". */
function nameOf({ key, ctrlKey, metaKey, altKey, shiftKey }: KeyboardEvent): string | undefined {
  if (altKey || ["Shift", "Control", "Meta", "Alt", "Dead", "Process"].includes(key)) return undefined;
  if (ctrlKey || metaKey) return `Ctrl+${key}`;
  return key.length > 1 && shiftKey ? `Shift+${key}` : key;
}

const typedInputs = /^(text|search|email|password|url|tel|number|date|datetime-local|time)$/;

function isField(target: EventTarget | null): boolean {
  if (!(target instanceof Element)) return false;
  if (target instanceof HTMLInputElement) return typedInputs.test(target.type);
  return target.closest("textarea, select, [contenteditable=''], [contenteditable=true]") !== null;
}

addEventListener("keydown", press);
