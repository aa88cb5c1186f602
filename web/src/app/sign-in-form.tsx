import { type SubmitEvent, useState } from "react";
import { buttonClass, Field, inputClass } from "../ui/ui";
import styles from "./app.module.css";
import { signIn } from "./session";

/** Exchanges a key for a cookie that this page cannot read. */
export function SignInForm({ onDone }: { onDone?: () => void }) {
  const [problem, setProblem] = useState<string>();
  const [isSending, setSending] = useState(false);
  const submit = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const token = new FormData(event.currentTarget).get("token");
    if (typeof token !== "string") return;
    setSending(true);
    const refused = await signIn(token.trim());
    setSending(false);
    setProblem(refused);
    if (!refused) onDone?.();
  };
  return (
    <div className={styles.signIn}>
      <p>
        Enter the token of a key. On the machine of bidarc this makes one:{" "}
        <code>bidarc keys add NAME --scope read</code>
      </p>
      <form onSubmit={submit}>
        <Field label="Key">
          <input
            className={inputClass}
            name="token"
            type="password"
            autoComplete="current-password"
            spellCheck={false}
            required
            aria-describedby={problem ? "sign-in-problem" : undefined}
          />
        </Field>
        {problem && (
          <p id="sign-in-problem" className={styles.problem} role="alert">
            {problem}
          </p>
        )}
        <button type="submit" className={buttonClass("primary")} disabled={isSending}>
          Sign in
        </button>
      </form>
    </div>
  );
}
