import { type KeyboardEvent, useId, useState } from "react";
import { useLocation } from "wouter";
import { serviceUrl } from "../base";
import { idText } from "../events/subject";
import { providers } from "../events/words";
import { PaletteProposalsDocument } from "../gql/graphql";
import { Dialog, inputClass } from "../ui/ui";
import { errorText } from "./api";
import styles from "./palette.module.css";
import { useApi } from "./use-api";

interface Option {
  name: string;
  note: string;
  to: string;
}

const pages: Option[] = [
  { name: "Live", note: "g l", to: "/" },
  { name: "Pipeline", note: "g p", to: "/pipeline" },
  { name: "Proposals", note: "g r", to: "/proposals" },
  { name: "Events", note: "g e", to: "/events" },
  { name: "Hooks", note: "g h", to: "/hooks" },
  { name: "Quarantine", note: "g u", to: "/quarantine" },
  { name: "Wall", note: "g w", to: "/wall" },
  { name: "Settings", note: "g s", to: "/settings" },
  { name: "Playground", note: "g q", to: "playground" },
];

/** Goes to a page, or to a proposal by its name. */
export function Palette({ onClose }: { onClose: () => void }) {
  const [, navigate] = useLocation();
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState(0);
  const list = useId();
  const wanted = text.trim().toLowerCase();
  const isName = wanted.length >= 2;
  const { data, isCurrent, error } = useApi(
    PaletteProposalsDocument,
    { name: wanted.slice(0, 200) },
    { pause: !isName },
  );
  const proposals = isName && isCurrent ? (data?.proposals.nodes ?? []) : [];
  const options: Option[] = [
    ...pages.filter(({ name }) => name.toLowerCase().includes(wanted)),
    ...proposals.map(({ id, name, provider, customerName }) => ({
      name: name || idText(id),
      note: customerName ?? providers[provider],
      to: `/proposals/${idText(id)}`,
    })),
  ];
  const at = Math.min(chosen, options.length - 1);
  const go = (option: Option | undefined) => {
    if (!option) return;
    onClose();
    if (option.to.startsWith("/")) navigate(option.to);
    else location.assign(serviceUrl(option.to));
  };
  const press = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) setChosen((at + step + options.length) % options.length);
    else if (event.key === "Enter") go(options[at]);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title="Go to" onClose={onClose}>
      <div className={styles.palette}>
        <input
          className={`${inputClass} ${styles.input}`}
          role="combobox"
          aria-label="A page, or a proposal's name"
          aria-expanded="true"
          aria-controls={list}
          aria-activedescendant={options[at] ? `${list}-${at}` : undefined}
          autoComplete="off"
          autoFocus
          placeholder="A page, or a proposal's name"
          value={text}
          onChange={({ target }) => {
            setText(target.value);
            setChosen(0);
          }}
          onKeyDown={press}
        />
        <div id={list} role="listbox" aria-label="Places" className={styles.list}>
          {options.map((option, index) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the input has the keys, as a combobox does
            <div
              key={option.to}
              id={`${list}-${index}`}
              role="option"
              tabIndex={-1}
              aria-selected={index === at}
              className={styles.option}
              onClick={() => go(option)}
            >
              {option.name}
              <span className={styles.note}>{option.note}</span>
            </div>
          ))}
          {isName && !isCurrent && <p className={styles.note}>{error ? errorText(error) : "Looking for proposals…"}</p>}
          {options.length === 0 && (isCurrent || !isName) && <p className={styles.note}>Nothing has this name.</p>}
        </div>
      </div>
    </Dialog>
  );
}
