// A cable between the browser and the service that a test can cut: a TCP proxy.
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export class Cable {
  readonly #sockets = new Set<Socket>();
  #isCut = false;
  readonly #server;

  /** `prefix` is a path that the cable takes off each request, as a proxy does that serves bidarc below a path. */
  private constructor(port: number, prefix: string) {
    this.#server = createServer((socket) => {
      if (this.#isCut) return socket.destroy();
      const other = connect(port, "127.0.0.1");
      for (const [from, to] of [
        [socket, other],
        [other, socket],
      ] as const) {
        this.#sockets.add(from);
        if (prefix && from === socket) {
          const begin = new RegExp(`^(GET|POST|DELETE) ${prefix}/`);
          from.on("data", (data) => to.write(Buffer.from(data.toString("latin1").replace(begin, "$1 /"), "latin1")));
          from.on("end", () => to.end());
        } else from.pipe(to);
        from.on("error", () => to.destroy());
        from.on("close", () => {
          this.#sockets.delete(from);
          to.destroy();
        });
      }
      return undefined;
    });
  }

  static async to(port: number, prefix = ""): Promise<Cable> {
    const cable = new Cable(port, prefix);
    await new Promise<void>((resolve) => cable.#server.listen(0, "127.0.0.1", resolve));
    return cable;
  }

  get url() {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Breaks every connection, and refuses new ones. */
  cut() {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend() {
    this.#isCut = false;
  }

  end() {
    this.cut();
    this.#server.close();
  }
}
