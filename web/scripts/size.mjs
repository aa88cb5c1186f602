// Fails if the first view, or what a page adds to it, is larger than its budget. It measures what the service sends: each
// file with gzip. Usage: node scripts/size.mjs
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { cachedBuild } from "./build.mjs";

const KB = 1000;
const budgets = {
  firstView: 150 * KB,
  css: 12 * KB,
  page: 25 * KB,
  widgets: 70 * KB,
  charts: 35 * KB,
  playground: 2000 * KB,
};

const directory = await cachedBuild();
const manifest = JSON.parse(readFileSync(`${directory}.manifest.json`, "utf8"));
const size = (file) => statSync(join(directory, `${file}.gz`)).size;

/** The files that come with an entry of the manifest, without those of dynamic imports unless `isDeep`. */
function files(key, isDeep = false, seen = new Set()) {
  if (seen.has(key)) return new Set();
  seen.add(key);
  const { file, css = [], assets = [], imports = [], dynamicImports = [] } = manifest[key];
  const next = [...imports, ...(isDeep ? dynamicImports : [])].flatMap((other) => [...files(other, isDeep, seen)]);
  return new Set([file, ...css, ...(isDeep ? assets : []), ...next]);
}

/** The entries of the manifest that an entry, or what it imports, may fetch later. */
function later(key, seen = new Set()) {
  if (seen.has(key)) return new Set();
  seen.add(key);
  const { imports = [], dynamicImports = [] } = manifest[key];
  return new Set([...dynamicImports, ...imports.flatMap((other) => [...later(other, seen)])]);
}

const sum = (list) => [...list].reduce((total, file) => total + size(file), 0);
let failed = false;

function check(name, bytes, budget) {
  const isOver = bytes > budget;
  failed ||= isOver;
  console.log(`${isOver ? "OVER " : "     "}${name}: ${(bytes / KB).toFixed(1)} KB of ${budget / KB} KB`);
}

const first = files("index.html");
check("first view", sum(first) + statSync(join(directory, "index.html")).size, budgets.firstView);
check("its CSS", sum([...first].filter((file) => file.endsWith(".css"))), budgets.css);
const pages = [...later("index.html")];
// The details of an event bring the widgets of React Aria, which more than one page shows.
const shared = pages.find((key) => key.includes("details")) ?? "";
const widgets = files(shared);
for (const key of pages) {
  const added = [...files(key)].filter((file) => !first.has(file) && (key === shared || !widgets.has(file)));
  check(key, sum(added), key === shared ? budgets.widgets : budgets.page);
}
// What a page fetches once it is shown.
const charts = pages.flatMap((key) => manifest[key].dynamicImports ?? []);
for (const key of new Set(charts)) check(key, sum([...files(key)].filter((file) => !first.has(file))), budgets.charts);
const playground = files("playground.html", true);
check("playground, all of it", sum(playground), budgets.playground);
if ([...playground].some((file) => first.has(file) && file.includes("monaco"))) failed = true;
process.exitCode = failed ? 1 : 0;
