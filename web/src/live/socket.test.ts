import type { ClientOptions } from "graphql-ws";
import { expect, test, vi } from "vitest";
import { refusesSockets } from "./socket";

const made = vi.hoisted(() => ({ options: undefined as ClientOptions | undefined }));

vi.mock("graphql-ws", () => ({
  createClient: (options: ClientOptions) => {
    made.options = options;
    return { dispose: () => {} };
  },
}));

const closed = () => made.options?.on?.closed?.({ code: 1006 });

test("a socket waits before each retry unless something refuses sockets", async () => {
  vi.useFakeTimers();
  vi.stubGlobal("fetch", async () => new Response(null, { status: 401 }));
  const isOver = vi.fn();
  closed();
  void made.options?.retryWait?.(5).then(isOver);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(isOver).not.toHaveBeenCalled();
  closed();
  await vi.advanceTimersByTimeAsync(0);
  expect(refusesSockets()).toBe(true);
  expect(isOver).toHaveBeenCalledOnce();
  void made.options?.retryWait?.(6).then(isOver);
  await vi.advanceTimersByTimeAsync(0);
  expect(isOver).toHaveBeenCalledTimes(2);
  vi.useRealTimers();
});
