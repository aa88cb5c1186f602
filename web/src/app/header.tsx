import type { ReactNode } from "react";
import { StateLine } from "../live/state-line";
import { usePulse } from "../live/use-feed";
import styles from "./header.module.css";

/** The head of a page. Its state line is of all events, unless the page has a feed of its own. */
export function Header({ title, state }: { title: ReactNode; state?: ReactNode }) {
  const pulse = usePulse();
  return (
    <header className={styles.header}>
      <h1>{title}</h1>
      {state ?? <StateLine feed={pulse} />}
    </header>
  );
}
