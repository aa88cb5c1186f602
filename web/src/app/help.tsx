import { Dialog } from "../ui/ui";
import styles from "./app.module.css";
import { preferences, usePreferences } from "./preferences";

const keys = [
  ["?", "This help"],
  ["Ctrl+K", "Go to a page, or to a proposal by its name"],
  [
    "g, then l p r e h u w q s",
    "Live, Pipeline, pRoposals, Events, Hooks, qUarantine, Wall, playground (Query), Settings",
  ],
  ["j k", "The next and the previous row; Enter opens it"],
  ["[ ]", "In the panel: the older and the newer event"],
  ["Esc", "Close the panel"],
  ["p", "Pause, and resume"],
  [".", "To the newest event"],
  ["f /", "Add a filter; look for a text"],
  ["x", "Clear the filters"],
  ["y c l", "Copy the event's id, its delivery, its link"],
  ["q", "Open the view as a query in the playground"],
  ["t", "Times: the office's time zone, yours, UTC"],
  ["d", "Theme: as the system, light, dark"],
  ["Shift+F", "Full screen"],
] as const;

export function Help({ onClose }: { onClose: () => void }) {
  const { keys: isOn } = usePreferences();
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl className={styles.keys}>
        {keys.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <label className={styles.switch}>
        <input type="checkbox" checked={isOn} onChange={({ target }) => preferences.set({ keys: target.checked })} />
        Keys are on
      </label>
    </Dialog>
  );
}
