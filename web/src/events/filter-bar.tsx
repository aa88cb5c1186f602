import { useCallback, useMemo, useRef } from "react";
import { useSearchParams } from "wouter";
import { useKeys } from "../app/keys";
import type { EventKind, Provider } from "../gql/graphql";
import { Button, classes, selectClass } from "../ui/ui";
import {
  type Condition,
  canExclude,
  conditionWords,
  lower,
  parseConditions,
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
  const filter = useMemo(() => toEventFilter(conditions), [conditions]);
  const set = useCallback(
    (next: readonly Condition[]) => setParameters((current) => writeConditions(current, next)),
    [setParameters],
  );
  const add = useCallback(
    (condition: Condition) =>
      setParameters((current) => writeConditions(current, withCondition(parseConditions(current), condition))),
    [setParameters],
  );
  return { conditions, filter, set, add };
}

interface FilterBarProps {
  conditions: readonly Condition[];
  set: (conditions: readonly Condition[]) => void;
  add: (condition: Condition) => void;
}

export function FilterBar({ conditions, set, add }: FilterBarProps) {
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
      </select>
      {conditions.map((condition) => {
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
