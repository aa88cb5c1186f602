import type { Tone } from "../events/words";
import type { FileKind, FileState, FilesQuery } from "../gql/graphql";
import { counted } from "../ui/format";

export type StoredFile = Extract<NonNullable<FilesQuery["nodes"][number]>, { expiresAt: unknown }>;

export const states: Record<FileState, { label: string; tone: Tone }> = {
  PENDING: { label: "Not stored yet", tone: "info" },
  STORED: { label: "Stored", tone: "good" },
  EXPIRED: { label: "Gone", tone: "bad" },
  REFUSED: { label: "Refused", tone: "bad" },
  FAILED: { label: "Failed", tone: "bad" },
};

const nouns: Record<FileKind, string> = { PDF: "Document", PNG: "Picture" };

export function nameOf({ name, kind }: StoredFile): string {
  return name || nouns[kind];
}

const DANGER_MILLISECONDS = 6 * 3600_000;

/** Whether the vendor's link still leads to the file. */
export function isAlive({ expiresAt }: StoredFile, now: number): boolean {
  return expiresAt !== null && Date.parse(expiresAt) > now;
}

/** Whether the file is lost soon, if nothing changes. */
export function isInDanger(file: StoredFile, now: number): boolean {
  return file.state === "PENDING" && isAlive(file, now) && !isAlive(file, now + DANGER_MILLISECONDS);
}

/** Whether another try may bring the file. One that is PENDING without a problem has its first try within seconds. */
export function canRetry(file: StoredFile, now: number): boolean {
  if (file.state === "STORED" || file.state === "REFUSED") return false;
  return isAlive(file, now) && (file.state !== "PENDING" || file.problem !== null);
}

/** What the state means for a person who waits for the file. */
export function outlook(file: StoredFile, now: number): string {
  switch (file.state) {
    case "STORED":
      return "";
    case "PENDING":
      return file.problem === null
        ? "It is fetched within seconds."
        : "It will be tried again until ArcSite's link dies.";
    case "REFUSED":
      return "Its link is not allowed, so it is not fetched.";
    case "FAILED":
    case "EXPIRED":
      return isAlive(file, now)
        ? "It is not tried again by itself."
        : "It can be stored only if ArcSite sends a fresh link: change it at ArcSite.";
  }
}

const megabyte = 1_000_000;

/** 12 bytes; 340 kB; 2.5 MB. The API counts up to 2 GiB. */
export function size(bytes: number): string {
  if (bytes === 2_147_483_647) return "2 GB or more";
  if (bytes < 1000) return counted(bytes, "byte");
  const [value, unit] = bytes < megabyte ? [bytes / 1000, "kB"] : [bytes / megabyte, "MB"];
  return `${value.toLocaleString(undefined, { maximumFractionDigits: value < 10 ? 1 : 0 })} ${unit}`;
}

/**
 * The URL of a stored file on the origin and path at which this page is: those of the setting
 * `server.public_url` may be others, from which the page may show no picture.
 */
export function servicePath(url: string): string {
  return url.slice(url.lastIndexOf("/files/") + 1);
}
