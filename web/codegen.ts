import type { CodegenConfig } from "@graphql-codegen/cli";

const config: CodegenConfig = {
  schema: "../schema.graphql",
  documents: "src/**/*.graphql",
  generates: {
    "src/gql/": {
      preset: "client",
      presetConfig: { fragmentMasking: false },
      config: {
        // A scalar that is not named here is an error.
        strictScalars: true,
        // Ids and amounts are text from end to end.
        scalars: {
          ID: { input: "string", output: "string" },
          Date: "string",
          DateTime: "string",
          Decimal: "string",
          JSON: "unknown",
          Url: "string",
        },
        enumsAsTypes: true,
        useTypeImports: true,
      },
    },
  },
};

export default config;
