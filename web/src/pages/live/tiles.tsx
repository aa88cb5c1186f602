import { useEffect, useMemo, useState } from "react";
import { useApi } from "../../app/use-api";
import { TodayDocument } from "../../gql/graphql";
import type { EventRow } from "../../live/feeds";
import { useRefetchOn } from "../../live/use-feed";
import styles from "./live.module.css";

/** The start of the viewer's day; it changes at midnight. */
function useStartOfDay(): string {
  const [day, setDay] = useState(() => new Date().setHours(0, 0, 0, 0));
  useEffect(() => {
    const tomorrow = new Date(day);
    tomorrow.setDate(tomorrow.getDate() + 1);
    const timer = setTimeout(() => setDay(tomorrow.getTime()), tomorrow.getTime() - Date.now());
    return () => clearTimeout(timer);
  }, [day]);
  return useMemo(() => new Date(day).toISOString(), [day]);
}

const concerns = ({ __typename }: EventRow) => __typename === "ProposalEvent";

/** What became of proposals today. */
export function useToday() {
  const from = useStartOfDay();
  const { data, refetch } = useApi(TodayDocument, { from });
  useRefetchOn(concerns, refetch);
  return [
    { name: "New today", count: data?.created.totalCount },
    { name: "Sent", count: data?.sent.totalCount },
    { name: "Accepted", count: data?.accepted.totalCount },
    { name: "Payments", count: data?.paid.totalCount },
  ];
}

export function Tiles() {
  const tiles = useToday();
  return (
    <dl className={styles.tiles}>
      {tiles.map(({ name, count }) => (
        <div key={name} className={styles.tile}>
          <dt>{name}</dt>
          <dd>{count ?? "–"}</dd>
        </div>
      ))}
    </dl>
  );
}
