import { useEffect, useState } from "react";
import { root } from "../base";
import type { EventFeed } from "../live/feeds";
import { useSnapshot } from "../live/use-feed";
import { Button } from "../ui/ui";
import styles from "./app.module.css";

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

const RELOADED_FOR = "bidarc.reloadedFor";

/**
 * Reloads for new pages, once for each. While a balancer has two versions behind it, a reload may bring the old pages
 * again; a second reload would not be the last.
 */
function reloadOnce(pages: string): boolean {
  try {
    if (sessionStorage.getItem(RELOADED_FOR) === pages) return false;
    sessionStorage.setItem(RELOADED_FOR, pages);
  } catch {
    // Without a memory of it, a reload could repeat for ever.
    return false;
  }
  location.reload();
  return true;
}

/** A page that stays open runs old code after an upgrade. It looks after each break of the connection. */
export function NewVersion({ feed, isUnattended }: { feed: EventFeed | undefined; isUnattended: boolean }) {
  const { lastGap } = useSnapshot(feed);
  const [isNew, setNew] = useState(false);
  useEffect(() => {
    if (!lastGap) return;
    otherPages().then(
      (pages) => pages && !(isUnattended && reloadOnce(pages)) && setNew(true),
      // The next break is another chance.
      () => {},
    );
  }, [lastGap, isUnattended]);
  if (!isNew) return null;
  return (
    <p className={styles.newVersion} role="status">
      bidarc was upgraded. <Button onClick={() => location.reload()}>Load the new pages</Button>
    </p>
  );
}
