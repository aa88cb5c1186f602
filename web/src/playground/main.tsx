import "./workers";
import { HISTORY_PLUGIN } from "@graphiql/plugin-history";
import { GraphiQL } from "graphiql";
import { useSyncExternalStore } from "react";
import { createRoot } from "react-dom/client";
import "@graphiql/react/style.css";
import "@graphiql/plugin-doc-explorer/style.css";
import "@graphiql/plugin-history/style.css";
import "graphiql/graphiql.css";
import "./playground.css";
import { root, serviceUrl } from "../base";
import { fetcher, refusal } from "./fetcher";
import { logPlugin } from "./log-plugin";
import { defaultTabs } from "./tabs";

// "Open as query" passes the operation behind the #, which no server and no proxy sees.
const opened = new URLSearchParams(location.hash.slice(1));
const query = opened.get("query");
const variables = opened.get("variables");
// A reload should show the visitor's own tabs.
if (query) history.replaceState(null, "", location.pathname);

const plugins = [HISTORY_PLUGIN, logPlugin];

/** A session of the dashboard is one of the playground too. */
function Playground() {
  const isRefused = useSyncExternalStore(refusal.subscribe, refusal.get);
  return (
    <>
      {isRefused && (
        <p className="refusal" role="status">
          This service needs a key. <a href={serviceUrl("sign-in?next=playground")}>Sign in</a>, or put the key into the
          tab Headers: {'{"Authorization": "Bearer …"}'}
        </p>
      )}
      <GraphiQL
        fetcher={fetcher}
        plugins={plugins}
        defaultTabs={defaultTabs}
        {...(query ? { initialQuery: query } : {})}
        {...(variables ? { initialVariables: variables } : {})}
      >
        <GraphiQL.Logo>
          <a className="home" href={root.pathname}>
            bidarc
          </a>
        </GraphiQL.Logo>
      </GraphiQL>
    </>
  );
}

const element = document.getElementById("root");
if (element) createRoot(element).render(<Playground />);
