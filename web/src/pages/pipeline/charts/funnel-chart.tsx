import { AxisBottom, AxisLeft } from "@visx/axis";
import { Group } from "@visx/group";
import { scaleLinear, scalePoint } from "@visx/scale";
import { AreaClosed, LinePath } from "@visx/shape";
import { type Point, stepNames, steps } from "../steps";
import styles from "./charts.module.css";
import { useWidth } from "./use-width";

const HEIGHT = 230;
const MARGIN = { top: 8, right: 40, bottom: 28, left: 40 };
/** The width that the name of a bucket needs. */
const TICK_WIDTH = 84;

interface FunnelChartProps {
  points: readonly Point[];
  nameOf: (start: Date) => string;
  label: string;
  describedBy: string;
}

/** How many proposals of each bucket came how far, a line for each step. */
export function FunnelChart({ points, nameOf, label, describedBy }: FunnelChartProps) {
  const { parentRef, width } = useWidth();
  const inner = { width: Math.max(width - MARGIN.left - MARGIN.right, 1), height: HEIGHT - MARGIN.top - MARGIN.bottom };
  const most = Math.max(
    1,
    ...points.map(({ created, sent, viewed, accepted }) => Math.max(created, sent, viewed, accepted)),
  );
  const names = points.map(({ start }) => nameOf(start));
  const x = scalePoint({ domain: names, range: [0, inner.width], padding: points.length === 1 ? 0.5 : 0 });
  const y = scaleLinear({ domain: [0, most], range: [inner.height, 0], nice: 4 });
  const every = Math.ceil((points.length * TICK_WIDTH) / inner.width);
  const xOf = (point: Point) => x(nameOf(point.start)) ?? 0;
  return (
    <>
      <ul className={styles.legend} aria-hidden="true">
        {steps.map((step) => (
          <li key={step}>
            <svg width="26" height="10" viewBox="0 0 26 10" aria-hidden="true">
              <line className={styles[step]} x1="1" x2="25" y1="5" y2="5" />
            </svg>
            {stepNames[step]}
          </li>
        ))}
      </ul>
      <div ref={parentRef} className={styles.chart}>
        <svg
          role="img"
          aria-label={label}
          aria-describedby={describedBy}
          viewBox={`0 0 ${width} ${HEIGHT}`}
          width="100%"
          height={HEIGHT}
        >
          <Group left={MARGIN.left} top={MARGIN.top}>
            {y.ticks(4).map((tick) => (
              <line key={tick} className={styles.grid} x1={0} x2={inner.width} y1={y(tick)} y2={y(tick)} />
            ))}
            <AreaClosed
              className={styles.area ?? ""}
              data={[...points]}
              x={xOf}
              y={({ created }) => y(created)}
              yScale={y}
            />
            {steps.map((step) => (
              <LinePath
                key={step}
                className={styles[step] ?? ""}
                data={[...points]}
                x={xOf}
                y={(point) => y(point[step])}
              />
            ))}
            {points.flatMap((point) =>
              steps.map((step) => (
                <circle
                  key={`${point.start.getTime()} ${step}`}
                  className={styles[step]}
                  cx={xOf(point)}
                  cy={y(point[step])}
                  r={3}
                >
                  <title>{`${nameOf(point.start)}: ${point[step].toLocaleString()} ${stepNames[step].toLowerCase()}`}</title>
                </circle>
              )),
            )}
            <AxisLeft
              axisClassName={styles.axis ?? ""}
              scale={y}
              tickValues={y.ticks(4).filter(Number.isInteger)}
              tickFormat={(value) => value.toLocaleString()}
              hideAxisLine
              hideTicks
            />
            <AxisBottom
              axisClassName={styles.axis ?? ""}
              scale={x}
              top={inner.height}
              tickValues={names.filter((_, index) => (names.length - 1 - index) % every === 0)}
              hideTicks
            />
          </Group>
        </svg>
      </div>
    </>
  );
}
