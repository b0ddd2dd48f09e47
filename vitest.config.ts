import { defineConfig } from "vitest/config"

/** On which database the tests of a project run, see `packages/server/test/support/TestDatabase.ts`. */
const on = (form: "memory" | "disk" | "postgres" | "cluster") => ({ name: form, env: { CHATBOT_TEST_FORM: form } })

const server = (...names: ReadonlyArray<string>) => names.map((name) => `packages/server/test/${name}.test.ts`)

/** The contract, through clients and over sockets. */
const contract = server("Administration", "Conformance", "Contract", "KeyedRequests", "OpenAiFacade", "Wire")

/** The rules of the services, and what the repositories write and read. */
const services = server(
  "Audit",
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
  "OverlappingRoutes",
  "Paging",
  "Retention",
  "SecretRotation",
  "StatisticService",
  "Tickets",
  "TokenBudgets",
  "Tokens",
  "UserService"
)

/** What is about PostgreSQL itself. */
const postgres = [...server("Postgres*"), "packages/examples/test/workflow/Postgres.test.ts"]

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
        test: { ...on("disk"), include: ["packages/*/test/**/*.test.ts"], exclude: [...postgres, ...cluster] }
      },
      { extends: true, test: { ...on("memory"), include: contract } },
      {
        extends: true,
        test: {
          ...on("postgres"),
          include: [...contract, ...services, ...postgres],
          globalSetup: postgresServer
        }
      },
      {
        extends: true,
        test: {
          ...on("cluster"),
          // Of the contract, what is asked of a backend from outside.
          include: [...server("Conformance", "Contract", "ExactlyOnce", "Wire"), ...cluster],
          globalSetup: postgresServer
        }
      }
    ]
  }
})
