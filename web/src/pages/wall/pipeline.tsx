import type { CSSProperties } from "react";
import { useZone } from "../../app/preferences";
import { useApi } from "../../app/use-api";
import { statuses } from "../../events/words";
import { WallPipelineDocument } from "../../gql/graphql";
import type { EventRow } from "../../live/feeds";
import { useRefetchOn } from "../../live/use-feed";
import { duration, money } from "../../ui/format";
import { Failure, Mark, Outdated, Skeleton } from "../../ui/ui";
import styles from "./wall.module.css";

const concerns = ({ __typename }: EventRow) => __typename === "ProposalEvent";

/** Where all proposals stand, in large letters. */
export function WallPipeline() {
  const { data, error, refetch } = useApi(WallPipelineDocument, { timeZone: useZone() });
  useRefetchOn(concerns, refetch);
  if (error && !data) return <Failure error={error} retry={refetch} />;
  if (!data) return <Skeleton rows={6} />;
  const rows = data.all.byStatus.filter(({ count }) => count > 0);
  const most = Math.max(...rows.map(({ count }) => count));
  const { medianSeconds } = data.all.timeToAccept;
  return (
    <div className={styles.pipeline}>
      <Outdated error={error} />
      <table aria-label="Proposals by status">
        <tbody>
          {rows.map(({ status, count, totals }) => (
            <tr key={status} data-status={status}>
              <th scope="row">
                {status ? <Mark tone={statuses[status].tone}>{statuses[status].label}</Mark> : "No status yet"}
              </th>
              <td className={styles.bar} style={{ "--share": count / most } as CSSProperties}>
                {count.toLocaleString()}
              </td>
              <td>
                {totals
                  .filter(({ amount }) => !/^[0.]+$/.test(amount))
                  .map(({ currency, amount }) => money(amount, currency))
                  .join(" · ")}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p>
        {rows.length === 0
          ? "There are no proposals yet."
          : medianSeconds !== null && `Half of those accepted were accepted within ${duration(medianSeconds * 1000)}.`}
      </p>
    </div>
  );
}
