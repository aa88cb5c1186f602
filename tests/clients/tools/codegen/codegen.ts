import type { CodegenConfig } from "@graphql-codegen/cli";

const url = process.env.BIDARC_URL ?? "http://127.0.0.1:8080/graphql";
const token = process.env.BIDARC_TOKEN; // a key's token; open mode needs none

const config: CodegenConfig = {
  schema: { [url]: { headers: token ? { Authorization: `Bearer ${token}` } : {} } },
  documents: "projects.ts",
  emitLegacyCommonJSImports: false,
  generates: {
    "generated/": {
      preset: "client",
      config: {
        documentMode: "string",
        useTypeImports: true,
        strictScalars: true,
        scalars: { Date: "string", DateTime: "string", Decimal: "string", JSON: "unknown", Url: "string" },
      },
    },
  },
};
export default config;
