import { useEffect, useState } from "react";
import { useZone } from "../../app/preferences";
import { useApi } from "../../app/use-api";
import { TodayDocument } from "../../gql/graphql";
import type { EventRow } from "../../live/feeds";
import { useRefetchOn } from "../../live/use-feed";
import { todayIn } from "../../ui/zone";
import styles from "./live.module.css";

/** The start of the day in the zone that times are shown in; it changes at midnight. */
function useStartOfDay(): string {
  const zone = useZone();
  const [day, setDay] = useState(() => todayIn(zone));
  useEffect(() => {
    const today = todayIn(zone);
    setDay(today);
    let timer = setTimeout(function next() {
      const now = todayIn(zone);
      setDay(now);
      timer = setTimeout(next, now.end.getTime() - Date.now());
    }, today.end.getTime() - Date.now());
    return () => clearTimeout(timer);
  }, [zone]);
  return day.start.toISOString();
}

const concerns = ({ __typename }: EventRow) => __typename === "ProposalEvent";

/** What became of proposals today. */
export function useToday() {
  const from = useStartOfDay();
  const { data, refetch } = useApi(TodayDocument, { from });
  useRefetchOn(concerns, refetch);
  return [
    { name: "New today", count: data?.created.totalCount },
    { name: "Sent", count: data && data.sent.totalCount + data.pending.totalCount },
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
