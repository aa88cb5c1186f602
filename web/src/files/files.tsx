import type { CombinedError } from "@urql/core";
import { useEffect, useRef, useState } from "react";
import { useMutation } from "urql";
import { isUnauthenticated } from "../app/api";
import { requireSignIn } from "../app/session";
import { useApi } from "../app/use-api";
import { useReadOnly } from "../app/viewer";
import { serviceUrl } from "../base";
import { FilesDocument, RetryFileDocument, type RetryFileInput } from "../gql/graphql";
import { usePeriod } from "../ui/clock";
import { counted } from "../ui/format";
import { Badge, Button, buttonClass, Failure, Hidden, Outdated, Problems, Skeleton, Time } from "../ui/ui";
import styles from "./files.module.css";
import { canRetry, isAlive, isInDanger, nameOf, outlook, type StoredFile, servicePath, size, states } from "./words";

/** No event tells that a file was fetched. */
const PENDING_MILLISECONDS = 3000;

/** The URL of a file is valid for an hour at least. */
const RENEWAL_MILLISECONDS = 30 * 60_000;

interface FilesProps {
  ids: readonly string[];
  /** What can be fetched once more: the drawing or proposal that has the files, if there is one. */
  owner: RetryFileInput | undefined;
}

/** Files, with what became of each and why. They are fetched again as long as one is not stored yet. */
export function Files({ ids, owner }: FilesProps) {
  const { data, error, refetch } = useApi(FilesDocument, { ids: [...ids] });
  const files = (data?.nodes ?? []).filter((node): node is StoredFile => !!node && "expiresAt" in node);
  const isPending = files.some(({ state }) => state === "PENDING");
  useEffect(() => {
    if (!isPending) return;
    const timer = setInterval(refetch, PENDING_MILLISECONDS);
    return () => clearInterval(timer);
  }, [isPending, refetch]);
  const period = usePeriod(RENEWAL_MILLISECONDS);
  const renewed = useRef(period);
  useEffect(() => {
    if (renewed.current === period) return;
    renewed.current = period;
    refetch();
  }, [period, refetch]);
  if (error && !data) return <Failure error={error} retry={refetch} />;
  if (!data) return <Skeleton rows={2} />;
  const now = Date.now();
  const inDanger = files.filter((file) => isInDanger(file, now)).length;
  return (
    <>
      <Outdated error={error} />
      {inDanger > 0 && (
        <p className={styles.warning} role="alert">
          {counted(inDanger, "file")} {inDanger === 1 ? "is" : "are"} not stored yet, and ArcSite's{" "}
          {inDanger === 1 ? "link dies" : "links die"} within 6 hours. What is not stored by then is lost.
        </p>
      )}
      <ul className={styles.files}>
        {files.map((file) => (
          <FileItem key={file.id} file={file} now={now} />
        ))}
      </ul>
      {owner && files.some((file) => canRetry(file, now)) && <Retry owner={owner} onDone={refetch} />}
    </>
  );
}

function FileItem({ file, now }: { file: StoredFile; now: number }) {
  const { label, tone } = states[file.state];
  const name = nameOf(file);
  return (
    <li className={styles.file} data-file={file.id} data-file-state={file.state}>
      {file.thumbnailUrl && <Thumbnail key={file.thumbnailUrl} url={file.thumbnailUrl} name={name} />}
      <div className={styles.text}>
        <p className={styles.name}>
          <strong>{name}</strong> <Badge tone={tone}>{label}</Badge>
        </p>
        <p className={styles.soft}>
          {file.kind}
          {file.sizeBytes !== null && `, ${size(file.sizeBytes)}`}
          {file.storedAt && (
            <>
              , stored <Time at={file.storedAt} />
            </>
          )}
          {file.expiresAt && (
            <>
              {isAlive(file, now) ? " · ArcSite's link lives until " : " · ArcSite's link died "}
              <Time at={file.expiresAt} />
            </>
          )}
        </p>
        {file.state !== "STORED" && (
          <p className={file.state === "PENDING" ? styles.soft : styles.problem}>
            {file.problem && `Why: ${file.problem}. `}
            {outlook(file, now)}
          </p>
        )}
      </div>
      {file.url && (
        <a className={buttonClass()} href={serviceUrl(servicePath(file.url))} target="_blank" rel="noreferrer">
          Open<Hidden> {name}</Hidden>
        </a>
      )}
    </li>
  );
}

/** A small picture. One that is too large or damaged has none. */
function Thumbnail({ url, name }: { url: string; name: string }) {
  const [isMissing, setMissing] = useState(false);
  if (isMissing) return null;
  return (
    <img
      className={styles.thumbnail}
      src={serviceUrl(servicePath(url))}
      alt={`${name}, small`}
      onError={() => setMissing(true)}
    />
  );
}

function Retry({ owner, onDone }: { owner: RetryFileInput; onDone: () => void }) {
  const [, retry] = useMutation(RetryFileDocument);
  const [problems, setProblems] = useState<readonly string[]>([]);
  const [refused, setRefused] = useState<CombinedError>();
  const [isBusy, setBusy] = useState(false);
  const forbidden = useReadOnly();
  const run = async () => {
    setBusy(true);
    const { data, error } = await retry({ input: owner });
    setBusy(false);
    if (isUnauthenticated(error)) return requireSignIn();
    setRefused(error);
    setProblems((data?.retryFile.userErrors ?? []).map(({ code, message }) => `${message} (${code})`));
    onDone();
  };
  return (
    <div className={styles.retry}>
      <Button disabled={isBusy || !!forbidden} title={forbidden} onClick={() => void run()}>
        Try again
      </Button>
      {forbidden && <p className={styles.soft}>{forbidden}</p>}
      {refused && <Failure error={refused} />}
      <Problems of={problems} />
    </div>
  );
}
