import { Suspense, useEffect, useState } from "react";
import { Provider } from "urql";
import { Link, Route, Router, Switch, useLocation } from "wouter";
import { basePath, root, serviceUrl } from "../base";
import { InstanceDocument } from "../gql/graphql";
import icon from "../icon.svg";
import { SoundOf } from "../live/sound";
import { PulseContext, useFeed, usePhase } from "../live/use-feed";
import { useDay } from "../ui/clock";
import { Dialog, ErrorBoundary, Hidden, Notice, Skeleton } from "../ui/ui";
import { useAlerts } from "./alerts";
import { currentApi } from "./api";
import styles from "./app.module.css";
import { Help } from "./help";
import { useKeys } from "./keys";
import { NewVersion } from "./new-version";
import { Palette } from "./palette";
import { nextTheme, nextZone, setOfficeZone, useZone } from "./preferences";
import { routes } from "./routes";
import { useSession } from "./session";
import { SignInForm } from "./sign-in-form";
import { useApi } from "./use-api";

const icons: Record<string, string> = {
  Live: "M3 12h4l3-8 4 16 3-8h4",
  Pipeline: "M4 5h16l-6 7v6l-4 2v-8z",
  Proposals: "M7 3h8l4 4v14H7zM14 3v5h5M10 13h6M10 17h6",
  Events: "M4 6h16M4 12h16M4 18h10",
  Hooks: "M12 3v10m0 0a4 4 0 1 1-4 4m4-14a2 2 0 1 0 .01 0M8 17H6",
  Quarantine: "M12 3l9 16H3zM12 10v4m0 3v.01",
  Wall: "M3 5h18v12H3zM9 21h6",
  Playground: "M7 4v16l12-8z",
  Settings: "M4 7h10m4 0h2M4 17h2m4 0h10M16 7a2 2 0 1 1-4 0 2 2 0 0 1 4 0zM10 17a2 2 0 1 1-4 0 2 2 0 0 1 4 0z",
  More: "M5 12h.01M12 12h.01M19 12h.01",
};

const mainLinks = [
  { name: "Live", to: "/" },
  { name: "Pipeline", to: "/pipeline" },
  { name: "Proposals", to: "/proposals" },
  { name: "Events", to: "/events" },
];

const otherLinks = [
  { name: "Hooks", to: "/hooks" },
  { name: "Quarantine", to: "/quarantine" },
  { name: "Wall", to: "/wall" },
  { name: "Settings", to: "/settings" },
];

/** With Shift. */
const fullScreenKey = "F";

function Icon({ name }: { name: string }) {
  return (
    <svg
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.8"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={icons[name]} strokeWidth={name === "More" ? 3 : 1.8} />
    </svg>
  );
}

/** A number beside a link, and of what it is. */
interface Mark {
  count: number;
  what: string;
}

interface NavLinkProps {
  name: string;
  to: string;
  className?: string | undefined;
  mark?: Mark | undefined;
}

function NavLink({ name, to, className = "", mark }: NavLinkProps) {
  const [path] = useLocation();
  const isCurrent = to === "/" ? path === "/" : path.startsWith(to);
  return (
    <Link href={to} className={`${styles.link} ${className}`} aria-current={isCurrent ? "page" : undefined}>
      <Icon name={name} />
      {name}
      {mark && mark.count > 0 && (
        <span className={styles.count} title={`${mark.count} ${mark.what}`}>
          {mark.count}
          <Hidden> {mark.what}</Hidden>
        </span>
      )}
    </Link>
  );
}

function PlaygroundLink({ className = "" }: { className?: string | undefined }) {
  return (
    <a href={serviceUrl("playground")} className={`${styles.link} ${className}`}>
      <Icon name="Playground" />
      Playground
    </a>
  );
}

/** Which bidarc this is, because several open tabs look alike, and which time zone its times are in. */
function Instance() {
  const service = useApi(InstanceDocument, {}).data?.service;
  const zone = useZone();
  return (
    <p className={styles.instance}>
      {service?.name ?? root.host}
      {service && (
        <>
          <br />
          bidarc {service.version}
          {service.openMode && ", open mode"}
        </>
      )}
      <br />
      <span title="Key: t">Times: {zone}</span>
    </p>
  );
}

function Rail() {
  const [isMoreOpen, setMoreOpen] = useState(false);
  const { silent, quarantined } = useAlerts();
  const marks: Record<string, Mark> = {
    "/hooks": { count: silent.length, what: silent.length === 1 ? "vendor is silent" : "vendors are silent" },
    "/quarantine": { count: quarantined, what: "in quarantine" },
  };
  return (
    <nav className={styles.rail} aria-label="Pages">
      <Link href="/" className={styles.brand}>
        <img src={icon} alt="" />
        bidarc
      </Link>
      {mainLinks.map((link) => (
        <NavLink key={link.to} {...link} />
      ))}
      {otherLinks.map((link) => (
        <NavLink key={link.to} {...link} className={styles.secondary} mark={marks[link.to]} />
      ))}
      <PlaygroundLink className={styles.secondary} />
      <span className={styles.space} />
      <Instance />
      <button type="button" className={`${styles.link} ${styles.more}`} onClick={() => setMoreOpen(true)}>
        <Icon name="More" />
        More
      </button>
      {isMoreOpen && (
        <Dialog title="More" onClose={() => setMoreOpen(false)}>
          {/* biome-ignore lint/a11y/noStaticElementInteractions: a link inside was followed */}
          {/* biome-ignore lint/a11y/useKeyWithClickEvents: links send a click for the key as well */}
          <div className={styles.links} onClick={() => setMoreOpen(false)}>
            {otherLinks.map((link) => (
              <NavLink key={link.to} {...link} mark={marks[link.to]} />
            ))}
            <PlaygroundLink />
          </div>
          <Instance />
        </Dialog>
      )}
    </nav>
  );
}

function Pages() {
  const [path] = useLocation();
  return (
    // A page that is broken leaves the others whole.
    <ErrorBoundary key={path}>
      <Suspense fallback={<Skeleton />}>
        <Switch>
          {routes.map(({ path, page }) => page && <Route key={path} path={path} component={page} />)}
          <Route>
            <Notice title="There is no page here">
              <Link href="/">Live</Link>
            </Notice>
          </Route>
        </Switch>
      </Suspense>
    </ErrorBoundary>
  );
}

function Shell() {
  const pulse = useFeed(null);
  const phase = usePhase(pulse);
  const session = useSession();
  const officeZone = useApi(InstanceDocument, {}).data?.service.timeZone;
  useEffect(() => {
    if (officeZone) setOfficeZone(officeZone);
  }, [officeZone]);
  const [path, navigate] = useLocation();
  const [isHelpOpen, setHelpOpen] = useState(false);
  const [isPaletteOpen, setPaletteOpen] = useState(false);
  useEffect(() => {
    // A key with Ctrl is not one of those that can be switched off.
    const open = (event: KeyboardEvent) => {
      if (event.key !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
      event.preventDefault();
      if (!document.querySelector("dialog[open]")) setPaletteOpen(true);
    };
    addEventListener("keydown", open);
    return () => removeEventListener("keydown", open);
  }, []);
  useKeys({
    "?": () => setHelpOpen(true),
    t: nextZone,
    d: nextTheme,
    [fullScreenKey]: () => void document.documentElement.requestFullscreen?.(),
    "g l": () => navigate("/"),
    "g p": () => navigate("/pipeline"),
    "g r": () => navigate("/proposals"),
    "g e": () => navigate("/events"),
    "g h": () => navigate("/hooks"),
    "g u": () => navigate("/quarantine"),
    "g w": () => navigate("/wall"),
    "g s": () => navigate("/settings"),
    "g q": () => location.assign(serviceUrl("playground")),
  });
  const isSignedOut = (session.isSignedOut || phase === "signed-out") && path !== "/sign-in";
  return (
    <PulseContext value={pulse}>
      {path === "/wall" ? (
        <Pages />
      ) : (
        <div className={styles.app}>
          <a className={styles.skip} href="#main">
            To the content
          </a>
          <Rail />
          <main id="main" className={styles.main} tabIndex={-1}>
            <Pages />
          </main>
        </div>
      )}
      <SoundOf feed={pulse} />
      <NewVersion feed={pulse} isUnattended={path === "/wall"} />
      {isSignedOut && (
        <Dialog title="Sign in" onClose={() => navigate("/sign-in")}>
          <SignInForm />
        </Dialog>
      )}
      {isPaletteOpen && <Palette onClose={() => setPaletteOpen(false)} />}
      {isHelpOpen && <Help onClose={() => setHelpOpen(false)} />}
    </PulseContext>
  );
}

export function App() {
  // Each session and each day has its client.
  useSession();
  useDay("UTC");
  return (
    <Provider value={currentApi()}>
      <Router base={basePath}>
        <Shell />
      </Router>
    </Provider>
  );
}
