import { defineConfig } from "vitest/config"

declare module "vitest" {
  export interface ProvidedContext {
    /** On which database the tests of a project run, see `packages/server/test/support/TestDatabase.ts`. */
    readonly form: "memory" | "disk" | "postgres" | "cluster"
  }
}

const server = (...names: ReadonlyArray<string>) => names.map((name) => `packages/server/test/${name}.test.ts`)

/** The contract, through clients and over sockets. */
const contract = server("Administration", "Contract", "KeyedRequests", "Wire")

/** The rules of the services, and what the repositories write and read. */
const services = server(
  "BotRouter",
  "BotService",
  "BotsFolder",
  "ChatService",
  "CompletionRunRepository",
  "CompletionRuns",
  "EmbeddedProvider",
  "IdempotencyKeys",
  "Knowledge",
  "OpenAiServices",
  "Paging",
  "Retention",
  "SecretRotation",
  "StatisticService",
  "Tokens",
  "UserService"
)

/** What is about PostgreSQL itself. */
const postgres = server("Postgres*")

/** What is about several processes. */
const cluster = server("Cluster")

const postgresServer = "packages/server/test/support/postgresServer.ts"

export default defineConfig({
  test: {
    execArgv: ["--unhandled-rejections=strict"],
    maxWorkers: "100%",
    testTimeout: 30_000,
    hookTimeout: 30_000,
    projects: [
      {
        extends: true,
        test: { name: "disk", include: ["packages/*/test/**/*.test.ts"], exclude: [...postgres, ...cluster], provide: { form: "disk" } }
      },
      { extends: true, test: { name: "memory", include: contract, provide: { form: "memory" } } },
      {
        extends: true,
        test: {
          name: "postgres",
          include: [...contract, ...services, ...postgres],
          globalSetup: postgresServer,
          provide: { form: "postgres" }
        }
      },
      {
        extends: true,
        test: {
          name: "cluster",
          // Of the contract, what is asked of a backend from outside.
          include: [...server("Contract", "ExactlyOnce", "Wire"), ...cluster],
          globalSetup: postgresServer,
          provide: { form: "cluster" }
        }
      }
    ]
  }
})
