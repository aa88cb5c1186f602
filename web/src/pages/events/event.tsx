import { useEffect } from "react";
import { Link, useParams } from "wouter";
import { EventDetails } from "../../events/details";
import { StateLine } from "../../live/state-line";
import { usePulse } from "../../live/use-feed";
import { Card } from "../../ui/ui";
import styles from "./event.module.css";

export function EventPage() {
  const { id } = useParams<{ id: string }>();
  const pulse = usePulse();
  useEffect(() => {
    document.title = `Event ${id} · bidarc`;
  }, [id]);
  return (
    <div className={styles.page}>
      <div className={styles.head}>
        <Link href="/events">← Events</Link>
        <StateLine feed={pulse} />
      </div>
      <Card>
        <EventDetails id={`event:${id}`} level={1} />
      </Card>
    </div>
  );
}
