import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// `npm run dev` shows the pages with the API of a running service.
const service = "http://127.0.0.1:8080";

export default defineConfig({
  // The pages work below any path: each URL is relative to its page, each chunk to the one that loads it.
  base: "./",
  build: {
    // A data: URL would need an exception in the Content Security Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: true,
    target: "es2022",
    chunkSizeWarningLimit: 4096,
    rollupOptions: {
      input: { index: "index.html", playground: "playground.html" },
      // GraphiQL's files carry a directive of React's compiler, which no bundler needs.
      onwarn: (warning, warn) => {
        if (warning.code !== "MODULE_LEVEL_DIRECTIVE") warn(warning);
      },
    },
  },
  plugins: [react()],
  // GraphiQL's workers are modules.
  worker: { format: "es" },
  server: { proxy: { "/graphql": { target: service, ws: true }, "/session": service } },
});
