// A cable between the browser and the service that a test can cut: a TCP proxy.
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export class Cable {
  readonly #sockets = new Set<Socket>();
  #isCut = false;
  readonly #pairs = new Set<[Socket, Socket]>();
  readonly #server;

  private constructor(port: number, refusesSockets: boolean) {
    this.#server = createServer((socket) => {
      if (this.#isCut) return socket.destroy();
      const other = connect(port, "127.0.0.1");
      const pair: [Socket, Socket] = [socket, other];
      this.#pairs.add(pair);
      socket.on("close", () => this.#pairs.delete(pair));
      if (refusesSockets) {
        // A browser opens a connection of its own for a socket.
        socket.once("data", (data) => {
          if (!/^upgrade: websocket/im.test(data.toString("latin1"))) return;
          other.destroy();
          socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
        });
      }
      for (const [from, to] of [
        [socket, other],
        [other, socket],
      ] as const) {
        this.#sockets.add(from);
        from.pipe(to);
        from.on("error", () => to.destroy());
        from.on("close", () => {
          this.#sockets.delete(from);
          to.destroy();
        });
      }
      return undefined;
    });
  }

  /** `refusesSockets`: as a proxy does that does not pass an upgrade on. */
  static async to(port: number, { refusesSockets = false } = {}): Promise<Cable> {
    const cable = new Cable(port, refusesSockets);
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

  /** Lets nothing through on the connections there are, without a sign to either end: as a laptop's sleep does. */
  hang() {
    for (const [socket, other] of this.#pairs) {
      socket.unpipe(other).pause();
      other.unpipe(socket).pause();
    }
  }

  mend() {
    this.#isCut = false;
  }

  end() {
    this.cut();
    this.#server.close();
  }
}
