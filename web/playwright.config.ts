import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: "e2e",
  outputDir: "node_modules/.cache/e2e",
  reporter: "list",
  // Far beyond what a busy machine needs: a test waits for what it expects, not for a time.
  timeout: 120_000,
  expect: { timeout: 30_000 },
  // Each test has a service of its own. The minute of cuts runs beside the others.
  fullyParallel: true,
  workers: 2,
  use: {
    launchOptions: {
      // The system's browser: nothing is downloaded.
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      // Tests run as root in containers.
      args: ["--no-sandbox"],
    },
    locale: "en-US",
    // As the service's: a page asks once.
    timezoneId: "UTC",
  },
  projects: [
    { name: "tests", testMatch: "*.e2e.ts" },
    { name: "pictures", testMatch: "screenshots.ts" },
    { name: "measures", testMatch: "measure.ts" },
  ],
});
