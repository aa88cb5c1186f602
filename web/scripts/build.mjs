// Builds the pages into a directory: Vite's output, with each asset as brotli and as gzip in its place. A build of the same
// sources is copied from node_modules/.cache, so that cargo's several builds (check, clippy, release) run Vite once.
// Usage: node scripts/build.mjs DIRECTORY
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { install } from "./install.mjs";

const web = dirname(dirname(fileURLToPath(import.meta.url)));
const caches = join(web, "node_modules/.cache/pages");
// As in build.rs.
const sources = [
  "index.html",
  "package-lock.json",
  "playground.html",
  "routes.txt",
  "scripts/build.mjs",
  "src",
  "vite.config.ts",
];
const compressible = [".css", ".js", ".svg", ".ttf", ".webmanifest"];

function files(path) {
  if (!existsSync(path)) return [];
  const entries = readdirSync(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

function hashSources() {
  const hash = createHash("sha256").update(process.version);
  for (const source of sources) {
    const path = join(web, source);
    for (const file of extname(path) ? [path] : files(path).sort()) {
      hash.update(`\0${relative(web, file)}\0`).update(readFileSync(file));
    }
  }
  return hash.digest("hex").slice(0, 16);
}

async function compress(directory) {
  const compressed = files(directory).filter((file) => compressible.includes(extname(file)));
  await Promise.all(
    compressed.map(async (file) => {
      const bytes = readFileSync(file);
      const params = { [constants.BROTLI_PARAM_QUALITY]: 10, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
      writeFileSync(`${file}.br`, await promisify(brotliCompress)(bytes, { params }));
      writeFileSync(`${file}.gz`, await promisify(gzip)(bytes, { level: 9 }));
      rmSync(file);
    }),
  );
}

async function build(directory) {
  install();
  const { build: viteBuild } = await import("vite");
  await viteBuild({ root: web, logLevel: "warn", build: { outDir: directory, emptyOutDir: true } });
  // The size gate reads it from the cache; nothing serves it.
  renameSync(join(directory, ".vite/manifest.json"), `${directory}.manifest.json`);
  rmSync(join(directory, ".vite"), { recursive: true });
  await compress(directory);
}

/** The directory of a finished build of today's sources, which is made if there is none. */
export async function cachedBuild() {
  const cache = join(caches, hashSources());
  if (existsSync(cache)) return cache;
  const unfinished = `${cache}.${process.pid}`;
  await build(unfinished);
  // The last builds of other branches stay.
  const old = readdirSync(caches).filter((name) => !name.includes("."));
  if (old.length > 8) for (const name of old) rmSync(join(caches, name), { recursive: true });
  renameSync(`${unfinished}.manifest.json`, `${cache}.manifest.json`);
  if (existsSync(cache)) rmSync(unfinished, { recursive: true });
  else renameSync(unfinished, cache);
  return cache;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const out = process.argv[2];
  if (!out) throw new Error("usage: node scripts/build.mjs DIRECTORY");
  const built = await cachedBuild();
  rmSync(out, { recursive: true, force: true });
  mkdirSync(dirname(out), { recursive: true });
  cpSync(built, out, { recursive: true });
}
