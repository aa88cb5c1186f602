import { useEffect } from "react";
import { AlertsDocument, type Provider } from "../gql/graphql";
import { usePreferences, useZone } from "./preferences";
import { isSilent } from "./silence";
import { useApi } from "./use-api";

/** How often they are asked for: neither silence nor quarantine makes an event that would tell. */
const ALERT_MILLISECONDS = 60_000;

/** What needs a look: vendors that are silent, and how many deliveries wait in quarantine. */
export function useAlerts(): { silent: readonly { provider: Provider; since: string }[]; quarantined: number } {
  const { data, refetch } = useApi(AlertsDocument, {});
  const { silentHours } = usePreferences();
  const zone = useZone();
  useEffect(() => {
    const timer = setInterval(() => document.hidden || refetch(), ALERT_MILLISECONDS);
    return () => clearInterval(timer);
  }, [refetch]);
  const vendors = data?.service.vendors ?? [];
  return {
    silent: vendors
      .filter((vendor) => isSilent(vendor, silentHours, Date.now(), zone))
      .map(({ provider, lastDeliveryAt }) => ({ provider, since: lastDeliveryAt ?? "" })),
    quarantined: vendors.reduce((sum, { quarantined }) => sum + quarantined, 0),
  };
}
