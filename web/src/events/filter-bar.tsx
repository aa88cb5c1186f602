import { useCallback, useEffect, useId, useMemo, useRef, useState } from "react";
import { useSearchParams } from "wouter";
import { useKeys } from "../app/keys";
import { useZone } from "../app/preferences";
import type { EventKind, Provider } from "../gql/graphql";
import { Button, classes, inputClass, selectClass } from "../ui/ui";
import {
  type Condition,
  canExclude,
  conditionWords,
  isText,
  lower,
  parseConditions,
  TEXT_MAX,
  TEXT_MIN,
  toEventFilter,
  withCondition,
  writeConditions,
} from "./filter";
import styles from "./filter-bar.module.css";
import { kinds, providers } from "./words";

/** The conditions in the page's URL, the service's filter for them, and how to change them. */
export function useConditions() {
  const [parameters, setParameters] = useSearchParams();
  const text = parameters.toString();
  const conditions = useMemo(() => parseConditions(new URLSearchParams(text)), [text]);
  const zone = useZone();
  const filter = useMemo(() => toEventFilter(conditions, zone), [conditions, zone]);
  const set = useCallback(
    (next: readonly Condition[]) => setParameters((current) => writeConditions(current, next)),
    [setParameters],
  );
  const add = useCallback(
    (condition: Condition) =>
      setParameters((current) => writeConditions(current, withCondition(parseConditions(current), condition))),
    [setParameters],
  );
  /** While one types, the history of the browser gets no entries. */
  const setText = useCallback(
    (value: string) =>
      setParameters(
        (current) => {
          const others = parseConditions(current).filter(({ property }) => property !== "text");
          return writeConditions(current, value ? [...others, { property: "text", value, not: false }] : others);
        },
        { replace: true },
      ),
    [setParameters],
  );
  return { conditions, filter, set, add, setText };
}

interface FilterBarProps {
  conditions: readonly Condition[];
  set: (conditions: readonly Condition[]) => void;
  add: (condition: Condition) => void;
  setText: (text: string) => void;
}

/** How long after the last letter the service is asked. */
const TYPING_MILLISECONDS = 400;

/** A text that the bodies of the deliveries contain. */
function TextFilter({ value, onChange }: { value: string; onChange: (text: string) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const hint = useId();
  const [draft, setDraft] = useState(value);
  const sent = useRef(value);
  useEffect(() => {
    // The URL changed by itself: back, or a filter that was cleared.
    if (value === sent.current) return;
    sent.current = value;
    setDraft(value);
  }, [value]);
  useEffect(() => {
    const wanted = isText(draft) ? draft : "";
    if (wanted === sent.current) return;
    const timer = setTimeout(() => {
      sent.current = wanted;
      onChange(wanted);
    }, TYPING_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [draft, onChange]);
  useKeys({ "/": () => input.current?.focus() });
  const isShort = draft.trim() !== "" && !isText(draft);
  return (
    <span className={styles.text}>
      <input
        ref={input}
        type="search"
        className={inputClass}
        aria-label="Text in the body"
        aria-describedby={isShort ? hint : undefined}
        placeholder="Text in the body…"
        title="As the vendor sent it: capital and small letters differ. Key: /"
        maxLength={TEXT_MAX}
        autoComplete="off"
        spellCheck={false}
        value={draft}
        onChange={({ target }) => setDraft(target.value)}
      />
      {isShort && <small id={hint}>at least {TEXT_MIN} letters</small>}
    </span>
  );
}

export function FilterBar({ conditions, set, add, setText }: FilterBarProps) {
  const menu = useRef<HTMLSelectElement>(null);
  useKeys({
    f: () => menu.current?.focus(),
    x: conditions.length > 0 ? () => set([]) : undefined,
  });
  const replace = (changed: Condition, by: Condition | undefined) =>
    set(conditions.flatMap((condition) => (condition === changed ? (by ? [by] : []) : [condition])));
  return (
    <search className={styles.bar} aria-label="Filters">
      <select
        ref={menu}
        className={selectClass}
        aria-label="Add a filter"
        value=""
        onChange={({ target }) => {
          const [property, value] = target.value.split("=");
          if (value) add({ property: property as Condition["property"], value, not: false });
        }}
      >
        <option value="">Filter…</option>
        <optgroup label="Vendor">
          {(Object.keys(providers) as Provider[]).map((provider) => (
            <option key={provider} value={`vendor=${lower(provider)}`}>
              {providers[provider]}
            </option>
          ))}
        </optgroup>
        <optgroup label="What">
          {(Object.keys(kinds) as EventKind[]).map((kind) => (
            <option key={kind} value={`kind=${lower(kind)}`}>
              {kinds[kind].label}
            </option>
          ))}
        </optgroup>
        <optgroup label="Redelivered">
          <option value="redelivered=yes">Came more than once</option>
          <option value="redelivered=no">Came once</option>
        </optgroup>
      </select>
      <TextFilter value={conditions.find(({ property }) => property === "text")?.value ?? ""} onChange={setText} />
      {conditions.map((condition) => {
        // Its field shows it.
        if (condition.property === "text") return null;
        const [name, value] = conditionWords(condition);
        const { property, not } = condition;
        return (
          <span key={`${property}=${condition.value}`} className={styles.chip}>
            <span className={styles.name}>{name}</span>
            {canExclude(condition) ? (
              <button
                type="button"
                className={classes(not && styles.not)}
                title="Turn around"
                aria-label={`${name} ${not ? "is not" : "is"} ${value}; turn around`}
                onClick={() =>
                  set([
                    ...withCondition(
                      conditions.filter((other) => other !== condition),
                      { ...condition, not: !not },
                    ),
                  ])
                }
              >
                {not ? "is not" : "is"}
              </button>
            ) : (
              <span>is</span>
            )}
            <strong>{value}</strong>
            <button
              type="button"
              aria-label={`Remove the filter ${name} ${value}`}
              onClick={() => replace(condition, undefined)}
            >
              ✕
            </button>
          </span>
        );
      })}
      {conditions.length > 1 && (
        <Button look="quiet" onClick={() => set([])} title="Key: x">
          Clear
        </Button>
      )}
    </search>
  );
}
