import { type ComponentType, lazy } from "react";
import routeList from "../../routes.txt?raw";
import { LivePage } from "../pages/live/live";

// Live is in the first view; every other page is fetched when it is opened.
const pages: Record<string, ComponentType> = {
  "/": LivePage,
  "/pipeline": lazy(() => import("../pages/pipeline/pipeline").then((module) => ({ default: module.PipelinePage }))),
  "/proposals": lazy(() => import("../pages/proposals/list").then((module) => ({ default: module.ProposalsPage }))),
  "/proposals/{id}": lazy(() =>
    import("../pages/proposals/proposal").then((module) => ({ default: module.ProposalPage })),
  ),
  "/events": lazy(() => import("../pages/events/history").then((module) => ({ default: module.EventsPage }))),
  "/events/{id}": lazy(() => import("../pages/events/event").then((module) => ({ default: module.EventPage }))),
  "/hooks": lazy(() => import("../pages/hooks/hooks").then((module) => ({ default: module.HooksPage }))),
  "/quarantine": lazy(() =>
    import("../pages/quarantine/quarantine").then((module) => ({ default: module.QuarantinePage })),
  ),
  "/wall": lazy(() => import("../pages/wall/wall").then((module) => ({ default: module.WallPage }))),
  "/settings": lazy(() => import("../pages/settings/settings").then((module) => ({ default: module.SettingsPage }))),
  "/sign-in": lazy(() => import("../pages/sign-in/sign-in").then((module) => ({ default: module.SignInPage }))),
};

/** The routes that the service answers, each with its page: `/events/:id`. */
export const routes = routeList
  .trim()
  .split("\n")
  .map((route) => ({ path: route.replaceAll(/\{(\w+)\}/g, ":$1"), page: pages[route] }));
