import type { CombinedError } from "@urql/core";
import { type ButtonHTMLAttributes, Component, type ReactNode, useEffect, useId, useRef, useState } from "react";
import { errorText, isForbidden, isTemporary } from "../app/api";
import { useZone } from "../app/preferences";
import type { Tone } from "../events/words";
import { useDay } from "./clock";
import { longTime, shortTime } from "./format";
import styles from "./ui.module.css";

export const classes = (...names: (string | false | undefined)[]) => names.filter(Boolean).join(" ");

type Look = "primary" | "danger" | "quiet" | undefined;

export const buttonClass = (look?: Look) => classes(styles.button, look && styles[look]);

export function Button({ look, className, ...rest }: ButtonHTMLAttributes<HTMLButtonElement> & { look?: Look }) {
  return <button type="button" {...rest} className={classes(buttonClass(look), className)} />;
}

/** Writes a time short. What is written is written again at midnight: a time of another day has its day. */
export function useShortTime(): (at: string | number | Date) => string {
  const zone = useZone();
  useDay(zone);
  return (at) => shortTime(new Date(at), zone);
}

/** A time of an event, short in the text and whole in the title. */
export function Time({ at }: { at: string | number | Date }) {
  const zone = useZone();
  const short = useShortTime();
  const date = new Date(at);
  return (
    <time dateTime={date.toISOString()} title={longTime(date, zone)}>
      {short(date)}
    </time>
  );
}

/** A word with a coloured dot before it. */
export function Mark({ tone, children }: { tone: Tone; children: ReactNode }) {
  return <span className={classes(styles.mark, styles[tone])}>{children}</span>;
}

export function Badge({ tone, children }: { tone: Tone; children: ReactNode }) {
  return <span className={classes(styles.badge, styles[tone])}>{children}</span>;
}

export function Card({ children, className }: { children: ReactNode; className?: string | undefined }) {
  return <div className={classes(styles.card, className)}>{children}</div>;
}

/** A place without content says what to do next. */
export function Notice({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className={styles.notice}>
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** Why an action did not have its effect, as its answer says. */
export function Problems({ of }: { of: readonly string[] }) {
  if (of.length === 0) return null;
  return (
    <ul role="alert">
      {of.map((problem) => (
        <li key={problem} className={styles.problem}>
          {problem}
        </li>
      ))}
    </ul>
  );
}

/** What failed, its code, and another try. */
export function Failure({ error, retry }: { error: CombinedError; retry?: () => void }) {
  return (
    <div className={classes(styles.notice, styles.failure)} role="alert">
      <h2>{isForbidden(error) ? "This key may not do that" : "That did not work"}</h2>
      <p>{errorText(error)}</p>
      {retry && <Button onClick={retry}>Try again</Button>}
    </div>
  );
}

/** The line above an answer that is old because a newer one could not be fetched, or that has holes. */
export function Outdated({ error }: { error: CombinedError | undefined }) {
  if (!error) return null;
  return (
    <p className={styles.outdated} role="status">
      {isTemporary(error)
        ? "Newer data could not be fetched; the page tries again every 15 seconds."
        : "A part of the data could not be fetched."}{" "}
      {errorText(error)}
    </p>
  );
}

export function Skeleton({ rows = 6 }: { rows?: number }) {
  return (
    <div className={styles.skeleton} aria-hidden="true">
      {Array.from({ length: rows }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the rows are alike
        <span key={index} />
      ))}
    </div>
  );
}

export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

export function CopyButton({ text, label = "Copy" }: { text: string; label?: string }) {
  const [result, setResult] = useState<string>();
  useEffect(() => {
    if (!result) return;
    const timer = setTimeout(() => setResult(undefined), 2000);
    return () => clearTimeout(timer);
  }, [result]);
  // A plain-http page of another machine has no clipboard.
  const copy = () => void copyText(text).then((done) => setResult(done ? "Copied" : "Select and copy by hand"));
  return (
    <Button onClick={copy} aria-live="polite">
      {result ?? label}
    </Button>
  );
}

/** A text to copy whole. */
export function Copied({ text }: { text: string }) {
  return (
    <div className={styles.copied}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <pre tabIndex={0}>{text}</pre>
      <CopyButton text={text} />
    </div>
  );
}

export function Hidden({ children }: { children: ReactNode }) {
  return <span className={styles.hidden}>{children}</span>;
}

/** A modal dialog: the browser keeps the focus in it, and Escape closes it. */
export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: ReactNode }) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    if (dialog && !dialog.open) dialog.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog ref={ref} className={styles.dialog} aria-labelledby={id} onClose={onClose}>
      <div className={styles.dialogHead}>
        <h2 id={id}>{title}</h2>
        <Button look="quiet" onClick={() => ref.current?.close()} aria-label="Close">
          ✕
        </Button>
      </div>
      {children}
    </dialog>
  );
}

export function Field({ label, children }: { label: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is the child
    <label className={styles.field}>
      <span>{label}</span>
      {children}
    </label>
  );
}

export const inputClass = styles.input;
export const selectClass = styles.select;
export const monoClass = styles.mono;

/** Keeps a fault of one panel from taking the page. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { problem: Error | undefined }> {
  override state: { problem: Error | undefined } = { problem: undefined };

  static getDerivedStateFromError(problem: Error) {
    return { problem };
  }

  override render() {
    const { problem } = this.state;
    if (!problem) return this.props.children;
    return (
      <div className={classes(styles.notice, styles.failure)} role="alert">
        <h2>This part of the page is broken</h2>
        <p>{problem.message}</p>
        {/* React asks no second time for a script that failed, and after an upgrade the script has another name. */}
        <Button onClick={() => location.reload()}>Load the page again</Button>
      </div>
    );
  }
}
