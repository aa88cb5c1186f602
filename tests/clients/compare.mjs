// Compares the answers of the service with GraphQL.js, the reference implementation.
//
// BIDARC_SCHEMA names the schema, BIDARC_ANSWERS a JSON list of requests with the service's answers:
// {name, query, variables, operationName, answer}. GraphQL.js judges each request. If it is valid,
// GraphQL.js executes it over the service's own data, by response name: the result is the same text
// only if the service has every key, no other one, and all in the right order.
import { readFileSync } from "node:fs";
import { buildSchema, execute, getOperationAST, parse, validate } from "graphql";
import { getVariableValues } from "graphql/execution/values.js";

const schema = buildSchema(readFileSync(process.env.BIDARC_SCHEMA, "utf8"));
const requests = JSON.parse(readFileSync(process.env.BIDARC_ANSWERS, "utf8"));

// The library cannot know the scalars of the schema; the service parses them.
const formats = {
  DateTime: (value) => typeof value === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value),
  Date: (value) => typeof value === "string" && /^\d{4}-\d\d-\d\d$/.test(value),
  Decimal: (value) => ["string", "number"].includes(typeof value) && /^-?\d+(\.\d{1,4})?$/.test(String(value)),
  Url: (value) => typeof value === "string",
};
for (const [name, isValid] of Object.entries(formats)) {
  schema.getType(name).parseValue = (value) => {
    if (!isValid(value)) throw new TypeError(`not a ${name}`);
    return value;
  };
}

/** Why GraphQL.js refuses a request, or undefined. */
function refusal({ query, variables, operationName }) {
  let document;
  try {
    document = parse(query);
    // A condition at the root of a subscription is thrown, not returned.
    const [error] = validate(schema, document);
    if (error) return error.message;
  } catch (error) {
    return error.message;
  }
  const operation = getOperationAST(document, operationName);
  if (!operation) return "no operation is chosen";
  const { errors } = getVariableValues(schema, operation.variableDefinitions ?? [], variables ?? {});
  return errors?.[0].message;
}

function execution({ query, variables, operationName }, data) {
  const result = execute({
    schema,
    document: parse(query),
    rootValue: data,
    variableValues: variables,
    operationName,
    fieldResolver: (source, _arguments, _context, info) => source[info.path.key],
    typeResolver: (value) => value.__typename,
  });
  return JSON.stringify(result.data);
}

let differences = 0;
for (const request of requests) {
  const expected = refusal(request);
  const { data, errors } = request.answer;
  let difference;
  if (expected && data !== undefined) {
    difference = `GraphQL.js refuses it: ${expected}`;
  } else if (!expected && data === undefined) {
    difference = `only the service refuses it: ${JSON.stringify(errors)}`;
  } else if (!expected && !errors && !/__schema|__type\b/.test(request.query)) {
    const [ours, theirs] = [JSON.stringify(data), execution(request, data)];
    if (ours !== theirs) difference = `the service has ${ours}, GraphQL.js ${theirs}`;
  }
  if (difference) {
    differences += 1;
    console.error(`${request.name}: ${difference}\n  ${request.query}`);
  }
}
console.log(`${requests.length} compared, ${differences} differences`);
process.exitCode = differences === 0 ? 0 : 1;
