// Starts the built service and the simulator, for tests and screenshots.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { end, hasEnded } from "./process.ts";

const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const programs =
  process.env.PROGRAMS ?? join(process.env.CARGO_TARGET_DIR ?? join(repository, "target"), "debug");

interface Options {
  /** 0: any that is free. */
  port?: number;
  env?: Record<string, string>;
  /** Runs before the first start: a service that others reach needs a key by then. */
  prepare?: (service: Service) => void;
}

/** A service of its own, with a database in a directory of its own. */
export class Service {
  readonly #directory = mkdtempSync(join(tmpdir(), "bidarc-web-"));
  #process: ChildProcess | undefined;
  #options: Options;
  #url = "";

  private constructor(options: Options) {
    this.#options = options;
  }

  static async start(options: Options = {}): Promise<Service> {
    const service = new Service(options);
    options.prepare?.(service);
    await service.start();
    return service;
  }

  get url() {
    return this.#url;
  }

  get port() {
    return Number(new URL(this.#url).port);
  }

  /** Starts it, again on the port that it had. */
  async start() {
    const port = this.#url ? this.port : (this.#options.port ?? 0);
    const child = spawn(join(programs, "bidarc"), ["--listen", `127.0.0.1:${port}`, "--database-url", this.#database], {
      cwd: this.#directory,
      env: { ...process.env, ...this.#options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process = child;
    let isGreeted = false;
    let log = "";
    child.stderr?.on("data", (data) => {
      log += data;
    });
    for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
      const found = /playground\s+(\S+)\/playground/.exec(line);
      if (found?.[1]) {
        // The greeting names the public URL, if there is one.
        this.#url = port ? `http://127.0.0.1:${port}` : found[1];
        isGreeted = true;
        break;
      }
    }
    if (!isGreeted) throw new Error(`the service did not start:\n${log}`);
    child.stdout?.resume();
    // The greeting may come before the listener is ready.
    while (!hasEnded(child)) {
      const ready = await fetch(`${this.#url}/healthz`).catch(() => undefined);
      if (ready?.ok) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`the service ended:\n${log}`);
  }

  get #database() {
    return `sqlite://${join(this.#directory, "bidarc.db")}`;
  }

  async stop(signal: NodeJS.Signals = "SIGTERM") {
    if (this.#process) await end(this.#process, signal);
  }

  async end() {
    await this.stop("SIGKILL");
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** `bidarc keys …` on this database. */
  keys(...args: string[]): string {
    return execFileSync(join(programs, "bidarc"), ["--database-url", this.#database, "keys", ...args], {
      cwd: this.#directory,
      encoding: "utf8",
    });
  }

  /** Posts a delivery; the event's id. */
  async deliver(vendor: "arcsite" | "bidsketch", event: string, data: object | string): Promise<string> {
    const text = typeof data === "string" ? data : JSON.stringify(data);
    const { eventId } = await this.post(vendor, `{"event":"${event}","data":${text}}`);
    return eventId ?? "";
  }

  async post(vendor: "arcsite" | "bidsketch", body: string): Promise<{ outcome: string; eventId: string | null }> {
    const token = this.#options.env?.[`BIDARC_${vendor.toUpperCase()}__PATH_TOKEN`];
    const response = await fetch(`${this.#url}/webhooks/${vendor}${token ? `/${token}` : ""}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body,
    });
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    return (await response.json()) as { outcome: string; eventId: string | null };
  }

  async query<T>(query: string, variables: object = {}): Promise<T> {
    const response = await fetch(`${this.#url}/graphql`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as { data: T; errors?: unknown };
    if (errors) throw new Error(JSON.stringify(errors));
    return data;
  }

  /** Runs the simulator until its deliveries are answered. With --linger 3 it stays until the service has fetched the files. */
  async simulate(...args: string[]) {
    const linger = args.includes("--linger") ? [] : ["--linger", "0"];
    const options = ["--url", this.#url, "--quiet", "--seed", "7", ...linger];
    const child = spawn(join(programs, "simulator"), [...options, ...args], { stdio: "ignore" });
    const code = await new Promise((resolve) => child.once("exit", resolve));
    if (code !== 0) throw new Error(`the simulator ended with ${code}`);
  }

  /** Starts the simulator; call the result to end it. */
  simulating(...args: string[]): () => Promise<void> {
    const child = spawn(join(programs, "simulator"), ["--url", this.#url, "--quiet", "--seed", "7", ...args], {
      stdio: "ignore",
    });
    return () => end(child);
  }
}
