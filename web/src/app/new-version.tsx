import { useEffect, useState } from "react";
import { root } from "../base";
import type { EventFeed } from "../live/feeds";
import { useSnapshot } from "../live/use-feed";
import { Button } from "../ui/ui";
import styles from "./app.module.css";
import { RELOAD_AGAIN_MS, withReload } from "./reloads";

/** The name of a page's main script, which has the hash of its content in it. */
function mainScript(html: string): string | undefined {
  return /assets\/index-[\w-]+\.js/.exec(html)?.[0];
}

const own = mainScript(document.documentElement.outerHTML);

/** The main script of the pages that the service has now, if this page has another. */
async function otherPages(): Promise<string | undefined> {
  const response = await fetch(root.pathname, { headers: { Accept: "text/html" }, cache: "no-cache" });
  const current = response.ok ? mainScript(await response.text()) : undefined;
  return own !== undefined && current !== own ? current : undefined;
}

const RELOADS = "bidarc.reloads";

/** Reloads for new pages, but not twice in a short time. */
function reloadFor(pages: string): boolean {
  try {
    const reloads = withReload(JSON.parse(sessionStorage.getItem(RELOADS) ?? "{}"), pages, Date.now());
    if (!reloads) return false;
    sessionStorage.setItem(RELOADS, JSON.stringify(reloads));
  } catch {
    // Without a memory of it, a reload could repeat for ever.
    return false;
  }
  location.reload();
  return true;
}

/**
 * A page that stays open runs old code after an upgrade. It looks after each break of the connection, and without anyone
 * to load new pages it looks again.
 */
export function NewVersion({ feed, isUnattended }: { feed: EventFeed | undefined; isUnattended: boolean }) {
  const { lastGap } = useSnapshot(feed);
  const [isNew, setNew] = useState(false);
  useEffect(() => {
    if (!lastGap) return;
    let hasEnded = false;
    let next: ReturnType<typeof setTimeout>;
    const look = () =>
      otherPages().then(
        (pages) => {
          if (hasEnded || (pages && isUnattended && reloadFor(pages))) return;
          setNew(pages !== undefined);
          if (pages && isUnattended) next = setTimeout(look, RELOAD_AGAIN_MS);
        },
        // The next break is another chance.
        () => {},
      );
    look();
    return () => {
      hasEnded = true;
      clearTimeout(next);
    };
  }, [lastGap, isUnattended]);
  if (!isNew) return null;
  return (
    <p className={styles.newVersion} role="status">
      bidarc was upgraded. <Button onClick={() => location.reload()}>Load the new pages</Button>
    </p>
  );
}
