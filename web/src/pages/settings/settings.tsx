import { useEffect } from "react";
import { Header } from "../../app/header";
import { type Preferences, preferences, usePreferences } from "../../app/preferences";
import { signOut } from "../../app/session";
import { Button, Card, Field, selectClass } from "../../ui/ui";
import styles from "./settings.module.css";

/** What this browser remembers, and the session. */
export function SettingsPage() {
  const { theme, zone, keys } = usePreferences();
  useEffect(() => {
    document.title = "Settings · bidarc";
  }, []);
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
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
            value={zone}
            onChange={({ target }) => preferences.set({ zone: target.value as Preferences["zone"] })}
          >
            <option value="viewer">My time zone ({own})</option>
            <option value="UTC">UTC</option>
          </select>
        </Field>
        <label className={styles.switch}>
          <input type="checkbox" checked={keys} onChange={({ target }) => preferences.set({ keys: target.checked })} />
          Single keys do something (press ? for the list)
        </label>
      </Card>
      <Card className={styles.section}>
        <h2>Session</h2>
        <p className={styles.soft}>
          A key that was entered here is a cookie that no script can read. It ends with its key. In open mode there is
          no session.
        </p>
        <Button onClick={() => void signOut()}>Sign out</Button>
      </Card>
    </div>
  );
}
