import { preferences } from "./preferences";

/** Shows the theme of the preferences; without one the browser follows the system. */
function show() {
  const { theme } = preferences.get();
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

preferences.subscribe(show);
show();
