// For tests: a service that answers the queries of a page, and the frame in which the page is shown.
import { render } from "@testing-library/react";
import { Client, cacheExchange, fetchExchange } from "@urql/core";
import type { ReactNode } from "react";
import { Provider } from "urql";
import { vi } from "vitest";
import { currentApi, renewApi } from "./api";

interface Request {
  operationName: string;
  variables: Record<string, unknown>;
}

/** What the service gives: the data of an answer, an HTTP answer, or an error if it cannot be reached. */
type Answer = object | Response | Error;

/** Shows a page over a service. Its requests wait until `answer` is called. */
export function fakeService() {
  const waiting: { request: Request; settle: (answer: Answer) => void }[] = [];
  const requests: Request[] = [];
  const client = new Client({
    url: "http://bidarc.test/graphql",
    exchanges: [cacheExchange, fetchExchange],
    preferGetMethod: false,
    requestPolicy: "cache-and-network",
    fetch: (_url, options) => {
      const request = JSON.parse(String(options?.body)) as Request;
      requests.push(request);
      return new Promise((resolve, reject) => {
        const settle = (answer: Answer) => {
          if (answer instanceof Error) reject(answer);
          else if (answer instanceof Response) resolve(answer);
          else resolve(Response.json({ data: answer }));
        };
        waiting.push({ request, settle });
      });
    },
  });
  return {
    requests,
    /** Answers every request that waits. */
    answer: (by: (request: Request) => Answer) => {
      for (const { request, settle } of waiting.splice(0)) settle(by(request));
    },
    frame: (page: ReactNode) => <Provider value={client}>{page}</Provider>,
  };
}

/** A refusal of the service with its code. */
export function refusal(code: string, status = 200): Response {
  return Response.json({ errors: [{ message: "no", extensions: { code } }] }, { status });
}

/**
 * Renders a page over a service that answers at once, to the page's own requests too. `answers` has the data of each
 * operation by its name, or its errors.
 */
export function renderWith(page: ReactNode, answers: Record<string, (variables: Record<string, unknown>) => object>) {
  vi.stubGlobal("fetch", async (_url: string, { body }: { body: string }) => {
    const { operationName, variables } = JSON.parse(body) as Request;
    const answer = answers[operationName]?.(variables) ?? { errors: [{ message: `no answer for ${operationName}` }] };
    return Response.json("errors" in answer ? answer : { data: answer });
  });
  renewApi();
  return render(<Provider value={currentApi()}>{page}</Provider>);
}
