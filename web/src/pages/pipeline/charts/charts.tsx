// The charts, with the library that draws them: one file that is fetched when a page shows a chart.
export { FunnelChart } from "./funnel-chart";
export { ViewsChart } from "./views-chart";
