import { useParentSize } from "@visx/responsive";

// Constants: with new values the library would observe its element again.
const initialSize = { width: 600 };
const ignoreDimensions: ("height" | "top" | "left")[] = ["height", "top", "left"];

/** The width that a chart has. An element that is not laid out has none; the chart keeps its shape then. */
export function useWidth() {
  const { parentRef, width } = useParentSize({ initialSize, ignoreDimensions });
  return { parentRef, width: width > 0 ? width : initialSize.width };
}
