import { AxisBottom, AxisLeft } from "@visx/axis";
import { Group } from "@visx/group";
import { HeatmapRect } from "@visx/heatmap";
import { scaleBand, scaleLinear } from "@visx/scale";
import { counted } from "../../../ui/format";
import { gridOf, type HourCount, hourName, weekdayName } from "../hours";
import styles from "./charts.module.css";
import { useWidth } from "./use-width";

const MARGIN = { top: 2, right: 2, bottom: 26, left: 44 };
const ROW_HEIGHT = 26;
const GAP = 2;

interface ViewsChartProps {
  counts: readonly HourCount[];
  label: string;
  describedBy: string;
}

/** Views by weekday and hour: the more views, the fuller the cell. */
export function ViewsChart({ counts, label, describedBy }: ViewsChartProps) {
  const { parentRef, width } = useWidth();
  const grid = gridOf(counts);
  const weekdays = grid[0]?.map(({ weekday }) => weekday) ?? [];
  const inner = { width: Math.max(width - MARGIN.left - MARGIN.right, 1), height: weekdays.length * ROW_HEIGHT };
  const height = inner.height + MARGIN.top + MARGIN.bottom;
  const x = scaleBand({ domain: grid.map((_, hour) => hour), range: [0, inner.width] });
  const y = scaleBand({ domain: weekdays, range: [0, inner.height] });
  // Even one view is seen.
  const opacity = scaleLinear({ domain: [0, Math.max(1, ...counts.map(({ count }) => count))], range: [0.12, 1] });
  const every = inner.width < 480 ? 6 : 3;
  return (
    <div ref={parentRef} className={styles.chart}>
      <svg
        role="img"
        aria-label={label}
        aria-describedby={describedBy}
        viewBox={`0 0 ${width} ${height}`}
        width="100%"
        height={height}
      >
        <Group left={MARGIN.left} top={MARGIN.top}>
          <HeatmapRect<readonly HourCount[], HourCount>
            data={[...grid]}
            bins={(hour) => [...hour]}
            count={({ count }) => count}
            xScale={(column) => x(column) ?? 0}
            yScale={(row) => row * ROW_HEIGHT}
            binWidth={x.bandwidth()}
            binHeight={ROW_HEIGHT}
            gap={GAP}
          >
            {(columns) =>
              columns.flat().map(({ bin, row, column, ...cell }) => (
                <rect
                  key={`${row} ${column}`}
                  className={bin.count > 0 ? styles.cell : styles.noCell}
                  x={cell.x}
                  y={cell.y}
                  width={Math.max(cell.width, 1)}
                  height={cell.height}
                  rx={2}
                  fillOpacity={bin.count > 0 ? opacity(bin.count) : 1}
                  data-count={bin.count}
                >
                  <title>{`${weekdayName(bin.weekday, "long")}, ${hourName(bin.hour)}: ${counted(bin.count, "view")}`}</title>
                </rect>
              ))
            }
          </HeatmapRect>
          <AxisLeft
            axisClassName={styles.axis ?? ""}
            scale={y}
            tickFormat={(weekday) => weekdayName(weekday, "short")}
            hideAxisLine
            hideTicks
          />
          <AxisBottom
            axisClassName={styles.axis ?? ""}
            scale={x}
            top={inner.height}
            tickValues={grid.map((_, hour) => hour).filter((hour) => hour % every === 0)}
            tickFormat={hourName}
            hideAxisLine
            hideTicks
          />
        </Group>
      </svg>
    </div>
  );
}
