// A page with answers of a test in the place of the service's.
import { render } from "@testing-library/react";
import type { ReactNode } from "react";
import { Provider } from "urql";
import { vi } from "vitest";
import { currentApi, renewApi } from "../app/api";

/** Renders a page. `answers` has the data of each operation by its name, or its errors. */
export function renderWith(page: ReactNode, answers: Record<string, (variables: Record<string, unknown>) => object>) {
  vi.stubGlobal("fetch", async (_url: string, { body }: { body: string }) => {
    const { operationName, variables } = JSON.parse(body) as { operationName: string; variables: never };
    const answer = answers[operationName]?.(variables) ?? { errors: [{ message: `no answer for ${operationName}` }] };
    return Response.json("errors" in answer ? answer : { data: answer });
  });
  renewApi();
  return render(<Provider value={currentApi()}>{page}</Provider>);
}
