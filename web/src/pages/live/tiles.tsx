import { useZone } from "../../app/preferences";
import { useApi } from "../../app/use-api";
import { TodayDocument } from "../../gql/graphql";
import type { EventRow } from "../../live/feeds";
import { useRefetchOn } from "../../live/use-feed";
import { useDay } from "../../ui/clock";
import { Outdated } from "../../ui/ui";
import styles from "./live.module.css";

const concerns = ({ __typename }: EventRow) => __typename === "ProposalEvent";

/** What became of proposals today. */
export function useToday() {
  const from = useDay(useZone()).start.toISOString();
  const { data, error, refetch } = useApi(TodayDocument, { from });
  useRefetchOn(concerns, refetch);
  const tiles = [
    { name: "New today", count: data?.created.totalCount },
    { name: "Sent", count: data && data.sent.totalCount + data.pending.totalCount },
    { name: "Accepted", count: data?.accepted.totalCount },
    { name: "Payments", count: data?.paid.totalCount },
  ];
  return { tiles, error };
}

export function Tiles() {
  const { tiles, error } = useToday();
  return (
    <>
      <dl className={styles.tiles}>
        {tiles.map(({ name, count }) => (
          <div key={name} className={styles.tile}>
            <dt>{name}</dt>
            <dd>{count ?? "–"}</dd>
          </div>
        ))}
      </dl>
      <Outdated error={error} />
    </>
  );
}
