// nginx in front of a service, below a path, as docs/OPERATIONS.md configures it.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { end, hasEnded } from "./process.ts";

/** The places where packages install nginx. */
const program = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/local/bin/nginx"].find(existsSync);

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export class Nginx {
  readonly #directory = mkdtempSync(join(tmpdir(), "bidarc-nginx-"));
  readonly #process: ChildProcess;
  /** What nginx reports: a request outside the path is one of these. */
  errors = "";

  private constructor(port: number, path: string, service: string) {
    const file = join(this.#directory, "nginx.conf");
    writeFileSync(
      file,
      `daemon off; master_process off; pid nginx.pid; error_log stderr;
      events {}
      http {
        access_log off;
        client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
        map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
        server {
          listen 127.0.0.1:${port};
          location ${path}/ {
            proxy_pass ${service}/;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_read_timeout 60s;
          }
        }
      }`,
    );
    this.#process = spawn(program ?? "nginx", ["-p", this.#directory, "-c", file, "-e", "stderr"], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#process.stderr?.on("data", (data) => {
      this.errors += data;
    });
  }

  /** Starts nginx on a port: what is below the path is the service's. */
  static async start(port: number, path: string, service: string): Promise<Nginx> {
    const nginx = new Nginx(port, path, service);
    while (!(await fetch(`http://127.0.0.1:${port}${path}/healthz`).catch(() => undefined))) {
      if (hasEnded(nginx.#process)) throw new Error(`nginx did not start: ${nginx.errors}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return nginx;
  }

  async end() {
    await end(this.#process);
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
