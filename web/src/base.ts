// Where the service is below its host: "/" or, behind a proxy, such as "/bidarc/". The service fills the tag in for each page.
const relative = document.querySelector<HTMLMetaElement>('meta[name="base-path"]')?.content ?? "./";

// The browser loads the icon again at another path, and its URL is relative to the path of the first one.
const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
icon?.setAttribute("href", icon.href);

/** The URL of the service's root, with a slash at its end. */
export const root = new URL(relative, location.href);

/** The path of the root, without a slash at its end: what the router puts before its own paths. */
export const basePath = root.pathname.replace(/\/$/, "");

/** The whole URL of a path of the service, which has no slash before it. */
export function serviceUrl(path: string): string {
  return new URL(path, new URL(root.pathname, location.origin)).href;
}

/** The URL for sockets. */
export function socketUrl(): string {
  return serviceUrl("graphql/ws").replace(/^http/, "ws");
}
