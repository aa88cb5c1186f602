import { useEffect } from "react";
import { useLocation, useSearch } from "wouter";
import { SignInForm } from "../../app/sign-in-form";
import { serviceUrl } from "../../base";
import { Card } from "../../ui/ui";
import styles from "./sign-in.module.css";

export function SignInPage() {
  const [, navigate] = useLocation();
  const next = new URLSearchParams(useSearch()).get("next");
  useEffect(() => {
    document.title = "Sign in · bidarc";
  }, []);
  return (
    <Card className={styles.card}>
      <h1>Sign in</h1>
      <SignInForm onDone={() => (next === "playground" ? location.assign(serviceUrl(next)) : navigate("/"))} />
    </Card>
  );
}
