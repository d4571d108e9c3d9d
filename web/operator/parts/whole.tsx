import { useSignal } from "@preact/signals";
import type { ComponentChild } from "preact";
import { useRef } from "preact/hooks";
import { t } from "../../messages/operator/whole.ts";
import { t as tShared } from "../../messages/shared.ts";
import { Button } from "../../shared/button.tsx";
import { Dialog } from "../../shared/dialog.tsx";
import { type Swept, sweep } from "../api.ts";
import { Changing } from "./page.tsx";

export interface WholeAct {
  name: string;
  words: string;
  isDanger?: boolean;
  /** Further fields. */
  fields?: ComponentChild;
  args(form: FormData): object;
}

interface Props {
  /** Such as QueuedMessage/order. */
  method: string;
  filter: object;
  title: string;
  acts: readonly WholeAct[];
  /** The list has nothing: then there is no button, though what goes on is shown to its end. */
  isEmpty: boolean;
  /** So many of them, in words. */
  words(n: number): string;
  onDone(): void;
}

/** An act on all that a list is narrowed to: counted first, then confirmed, and stopped at any time. */
export function Whole(props: Props) {
  const isOpen = useSignal(false);
  return (
    <Changing>
      {!props.isEmpty && <Button onClick={() => (isOpen.value = true)}>{t("open")}</Button>}
      {isOpen.value && <WholeDialog {...props} onClose={() => (isOpen.value = false)} />}
    </Changing>
  );
}

interface Asking {
  is: "asking";
  act: WholeAct;
  args: object;
  /** What the list was narrowed to when they were counted. */
  filter: object;
  counted: Swept;
}
type Stage =
  | { is: "choosing" }
  | { is: "counting"; so: number }
  | Asking
  | { is: "running"; of: number; done: Swept }
  | { is: "finished"; done: Swept; isBroken: boolean };

function WholeDialog({ method, filter, title, acts, words, onDone, onClose }: Props & { onClose(): void }) {
  const stage = useSignal<Stage>({ is: "choosing" });
  const fault = useSignal("");
  const isStopped = useRef(false);
  const run = async (work: () => Promise<Stage>, afterFault: () => Stage) => {
    fault.value = "";
    isStopped.current = false;
    try {
      stage.value = await work();
    } catch (error) {
      fault.value = (error as Error).message;
      stage.value = afterFault();
    }
  };
  const count = (act: WholeAct, args: object) => {
    const tell = ({ changed }: Swept) => {
      stage.value = { is: "counting", so: changed };
      return !isStopped.current;
    };
    stage.value = { is: "counting", so: 0 };
    const work = async (): Promise<Stage> => {
      const counted = await sweep({ name: method, filter, args, isDryRun: true, tell });
      return { is: "asking", act, args, filter, counted };
    };
    void run(work, () => ({ is: "choosing" }));
  };
  /** On what was counted, though the list may be narrowed to something else by now. */
  const go = ({ act, args, filter: chosen, counted }: Asking) => {
    let done: Swept = { changed: 0, left: 0 };
    const tell = (soFar: Swept) => {
      done = soFar;
      stage.value = { is: "running", of: counted.changed, done };
      return !isStopped.current;
    };
    stage.value = { is: "running", of: counted.changed, done };
    // What cannot be taken back is done to no more than was confirmed.
    const most = act.isDanger === true ? counted.changed : undefined;
    const work = async (): Promise<Stage> => {
      await sweep({ name: method, filter: chosen, args, isDryRun: false, most, tell });
      return { is: "finished", done, isBroken: false };
    };
    void run(work, () => ({ is: "finished", done, isBroken: true })).then(onDone);
  };
  const close = () => {
    isStopped.current = true;
    onClose();
  };
  const now = stage.value;
  return (
    <Dialog title={title} onClose={close}>
      <div role="alert">{fault.value !== "" && <p class="notice is-error">{fault}</p>}</div>
      {now.is === "choosing" && <Choice acts={acts} onChosen={count} onClose={close} />}
      {now.is === "counting" && (
        <p role="status" aria-busy="true">
          {t("counting", { n: now.so })}
        </p>
      )}
      {now.is === "asking" && <Question asked={now} words={words} onYes={() => go(now)} onClose={close} />}
      {now.is === "running" && (
        <div class="form">
          <progress max={now.of} value={Math.min(now.done.changed, now.of)} aria-label={title} />
          <p role="status">{t("running", { done: now.done.changed, all: now.of })}</p>
          <div class="dialog-actions">
            <Button onClick={() => (isStopped.current = true)}>{t("stop")}</Button>
          </div>
        </div>
      )}
      {now.is === "finished" && (
        <div class="form">
          <p role="status">{t(now.isBroken ? "brokenOff" : "finished", { n: now.done.changed })}</p>
          {now.done.left > 0 && <p class="muted">{t("left", { n: now.done.left })}</p>}
          <div class="dialog-actions">
            <Button isPrimary onClick={onClose}>
              {t("close")}
            </Button>
          </div>
        </div>
      )}
    </Dialog>
  );
}

interface ChoiceProps extends Pick<Props, "acts"> {
  onChosen(act: WholeAct, args: object): void;
  onClose(): void;
}

function Choice({ acts, onChosen, onClose }: ChoiceProps) {
  const chosen = useSignal(acts[0]!.name);
  const act = acts.find(({ name }) => name === chosen.value)!;
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        onChosen(act, act.args(new FormData(event.currentTarget)));
      }}
    >
      <label class="field">
        <span>{t("what")}</span>
        <select class="input" data-first onChange={(event) => (chosen.value = event.currentTarget.value)}>
          {acts.map(({ name, words }) => (
            <option key={name} value={name} selected={name === chosen.value}>
              {words}
            </option>
          ))}
        </select>
      </label>
      {act.fields}
      <div class="dialog-actions">
        <Button onClick={onClose}>{tShared("cancel")}</Button>
        <Button submits isPrimary>
          {t("count")}
        </Button>
      </div>
    </form>
  );
}

interface QuestionProps extends Pick<Props, "words"> {
  asked: Asking;
  onYes(): void;
  onClose(): void;
}

/** What cannot be taken back asks for the number. */
function Question({ asked: { act, counted }, words, onYes, onClose }: QuestionProps) {
  const typed = useSignal("");
  const { changed, left } = counted;
  const isDanger = act.isDanger === true;
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        onYes();
      }}
    >
      <p role="status">
        <strong>{changed === 0 ? t("none") : `${act.words}: ${words(changed)}`}</strong>
      </p>
      {left > 0 && <p class="muted">{t("left", { n: left })}</p>}
      {changed > 0 && <p class="muted">{t(isDanger ? "noMore" : "changing")}</p>}
      {isDanger && changed > 0 && (
        <label class="field">
          <span>{t("type", { number: String(changed) })}</span>
          <input
            class="input"
            inputMode="numeric"
            autocomplete="off"
            autofocus
            onInput={(event) => (typed.value = event.currentTarget.value)}
          />
        </label>
      )}
      <div class="dialog-actions">
        <Button onClick={onClose}>{tShared("cancel")}</Button>
        {changed > 0 && (
          <Button
            submits
            isPrimary={!isDanger}
            isDanger={isDanger}
            disabled={isDanger && typed.value.trim() !== String(changed)}
          >
            {act.words}
          </Button>
        )}
      </div>
    </form>
  );
}
