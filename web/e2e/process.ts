// The end of the programs that tests start.
import type { ChildProcess } from "node:child_process";

export const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null;

/** Ends a program, and waits until it has ended. */
export async function end(child: ChildProcess, signal: NodeJS.Signals = "SIGKILL") {
  if (hasEnded(child)) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  await ended;
}
