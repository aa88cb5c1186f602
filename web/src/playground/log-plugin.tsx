import { type GraphiQLPlugin, pick, useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { useEffect, useState, useSyncExternalStore } from "react";
import styles from "./log.module.css";
import { LOG_SIZE_MAX, type LogEntry, log } from "./log-store";
import { withAfter } from "./resume";

function Icon() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden="true">
      <path d="M4 6h16M4 12h16M4 18h10" strokeLinecap="round" />
    </svg>
  );
}

/** One line that says which result this is: the id and the kind of an event, or how many a page has. */
function summary(result: unknown): string {
  const { data, errors } = (result ?? {}) as { data?: Record<string, unknown> | null; errors?: { message: string }[] };
  if (errors?.[0]) return errors[0].message;
  const value = Object.values(data ?? {})[0] as { id?: string; kind?: string; events?: unknown[] } | null | undefined;
  if (value?.events) return `${value.events.length} events`;
  return [value?.id, value?.kind].filter(Boolean).join(" · ") || "result";
}

function Row({ entry, onResume }: { entry: LogEntry; onResume: (entry: LogEntry) => void }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <li className={styles.row}>
      <div className={styles.line}>
        <button type="button" className={styles.title} aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          <time dateTime={entry.at.toISOString()}>{entry.at.toLocaleTimeString()}</time> {summary(entry.result)}
        </button>
        <button
          type="button"
          className={styles.resume}
          disabled={!entry.cursor}
          title={entry.cursor ? "Subscribe again, after this result" : "Select `cursor` to resume after a result"}
          onClick={() => onResume(entry)}
        >
          Resume
        </button>
      </div>
      {isOpen && <pre className={styles.result}>{JSON.stringify(entry.result, null, 2)}</pre>}
    </li>
  );
}

function Log() {
  const entries = useSyncExternalStore(log.subscribe, log.entries);
  const { queryEditor, variableEditor } = useGraphiQL(pick("queryEditor", "variableEditor"));
  const { run, stop } = useGraphiQLActions();
  const [pending, setPending] = useState(0);
  // The editors' new text is in GraphiQL's state after the next render only.
  useEffect(() => {
    if (pending) run();
  }, [pending, run]);
  const resume = ({ operation, cursor }: LogEntry) => {
    const { query, variable } = withAfter(operation.query, operation.operationName);
    stop();
    queryEditor?.setValue(query);
    variableEditor?.setValue(JSON.stringify({ ...operation.variables, [variable]: cursor }, null, 2));
    setPending((number) => number + 1);
  };
  return (
    <section aria-label="Log">
      <div className={styles.head}>
        <h2 className={styles.heading}>Log</h2>
        {entries.length > 0 && (
          <button type="button" className={styles.resume} onClick={log.clear}>
            Clear
          </button>
        )}
      </div>
      <p className={styles.note}>
        {entries.length === 0
          ? `The last ${LOG_SIZE_MAX} results of subscriptions appear here. Run the tab Live, then send a delivery.`
          : `${entries.length} of at most ${LOG_SIZE_MAX} results, newest first.`}
      </p>
      <ol className={styles.list}>
        {entries.map((entry) => (
          <Row key={entry.number} entry={entry} onResume={resume} />
        ))}
      </ol>
    </section>
  );
}

export const logPlugin: GraphiQLPlugin = { title: "Log", icon: Icon, content: Log };
