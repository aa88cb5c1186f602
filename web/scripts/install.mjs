// Installs the packages that package-lock.json names, if they are not there. `--all` includes those that only tests and checks
// need. Usage: node scripts/install.mjs [--all]
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const web = dirname(dirname(fileURLToPath(import.meta.url)));
// Which lock file was installed, and whether all of it.
const marker = join(web, "node_modules/.installed.json");

export function install({ all = false } = {}) {
  const lock = createHash("sha256")
    .update(readFileSync(join(web, "package-lock.json")))
    .digest("hex");
  const installed = existsSync(marker) ? JSON.parse(readFileSync(marker, "utf8")) : {};
  if (installed.lock === lock && (installed.all || !all)) return;
  const everything = all || (installed.all ?? false);
  const args = ["ci", "--no-audit", "--no-fund", "--loglevel=error", ...(everything ? [] : ["--omit=dev"])];
  const env = { ...process.env, PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD: "1" };
  const { status, stdout, stderr } = spawnSync("npm", args, { cwd: web, env, encoding: "utf8" });
  if (status !== 0) throw new Error(`npm ${args.join(" ")} failed:\n${stdout}${stderr}`);
  writeFileSync(marker, JSON.stringify({ lock, all: everything }));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) install({ all: process.argv.includes("--all") });
