import { useEffect } from "react";
import { useLocation } from "wouter";
import { SignInForm } from "../../app/sign-in-form";
import { Card } from "../../ui/ui";
import styles from "./sign-in.module.css";

export function SignInPage() {
  const [, navigate] = useLocation();
  useEffect(() => {
    document.title = "Sign in · bidarc";
  }, []);
  return (
    <Card className={styles.card}>
      <h1>Sign in</h1>
      <SignInForm onDone={() => navigate("/")} />
    </Card>
  );
}
