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

/** The main script of the pages that the service has now; undefined if it does not answer with pages. */
async function currentPages(): Promise<string | undefined> {
  try {
    const response = await fetch(root.pathname, { headers: { Accept: "text/html" }, cache: "no-cache" });
    return response.ok ? mainScript(await response.text()) : undefined;
  } catch {
    return undefined;
  }
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
    const look = async () => {
      const pages = await currentPages();
      if (hasEnded) return;
      if (pages !== undefined && own !== undefined) {
        if (pages !== own && isUnattended && reloadFor(pages)) return;
        setNew(pages !== own);
      }
      if (isUnattended) next = setTimeout(look, RELOAD_AGAIN_MS);
    };
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
