import { useEffect, useState } from "react";
import { Header } from "../../app/header";
import { type Preferences, preferences, usePreferences } from "../../app/preferences";
import { signOut } from "../../app/session";
import { silentHoursChoices } from "../../app/silence";
import { useViewer } from "../../app/viewer";
import { setSound } from "../../live/sound";
import { Button, Card, Field, selectClass, Time } from "../../ui/ui";
import { browserZone } from "../../ui/zone";
import styles from "./settings.module.css";

/** What this browser remembers, and the session. */
export function SettingsPage() {
  const { theme, times, officeZone, keys, sound, silentHours } = usePreferences();
  useEffect(() => {
    document.title = "Settings · bidarc";
  }, []);
  const viewer = useViewer();
  const [problem, setProblem] = useState<string>();
  return (
    <div className={styles.page}>
      <Header title="Settings" />
      <Card className={styles.section}>
        <h2>This browser</h2>
        <Field label="Theme">
          <select
            className={selectClass}
            value={theme}
            onChange={({ target }) => preferences.set({ theme: target.value as Preferences["theme"] })}
          >
            <option value="system">As the system</option>
            <option value="light">Light</option>
            <option value="dark">Dark</option>
          </select>
        </Field>
        <Field label="Times">
          <select
            className={selectClass}
            value={times}
            onChange={({ target }) => preferences.set({ times: target.value as Preferences["times"] })}
          >
            <option value="office">The office's time zone{officeZone && ` (${officeZone})`}</option>
            <option value="browser">My time zone ({browserZone})</option>
            <option value="UTC">UTC</option>
          </select>
        </Field>
        {officeZone === "UTC" && (
          <p className={styles.soft}>
            The office's time zone is UTC until <code>service.time_zone</code> names another one.
          </p>
        )}
        <Field label="Say that a vendor is silent">
          <select
            className={selectClass}
            value={silentHours}
            onChange={({ target }) => preferences.set({ silentHours: Number(target.value) })}
          >
            {silentHoursChoices.map((hours) => (
              <option key={hours} value={hours}>
                {hours === 0 ? "Never" : `After ${hours} hours without a delivery`}
              </option>
            ))}
          </select>
        </Field>
        <p className={styles.soft}>Saturdays and Sundays do not count.</p>
        <label className={styles.switch}>
          <input type="checkbox" checked={keys} onChange={({ target }) => preferences.set({ keys: target.checked })} />
          Single keys do something (press ? for the list)
        </label>
        <label className={styles.switch}>
          <input type="checkbox" checked={sound} onChange={({ target }) => setSound(target.checked)} />A short tone when
          a proposal is accepted or paid
        </label>
      </Card>
      <Card className={styles.section}>
        <h2>Session</h2>
        {viewer?.name == null ? (
          <p className={styles.soft}>bidarc is in open mode: everyone at this machine may use it. A key ends that.</p>
        ) : (
          <>
            <p>
              Signed in with the key <strong>{viewer.name}</strong>, which may{" "}
              {viewer.scope === "READ" ? "read" : "read and change"}.
              {viewer.expiresAt && (
                <>
                  {" "}
                  The session ends <Time at={viewer.expiresAt} />.
                </>
              )}
            </p>
            <p className={styles.soft}>The key became a cookie that no script can read. It ends with its key.</p>
            <Button onClick={() => void signOut().then(setProblem)}>Sign out</Button>
            {problem && <p role="alert">{problem}</p>}
          </>
        )}
      </Card>
    </div>
  );
}
