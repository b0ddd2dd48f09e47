/** The backend as `pnpm serve` runs it. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Program from "./Program.ts"

/** The token of its admin. */
const adminToken = "an-admin-token-of-the-tests-that-nobody-can-guess"

/** A backend in a process of its own, with the bots that come with it. */
export const serve = (env: Program.Environment = {}) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const program = yield* Program.start("server/src/main.ts", {
      CHATBOT_PORT: "0",
      CHATBOT_DATA_DIR: yield* fs.makeTempDirectoryScoped({ prefix: "chatbot-test-" }),
      CHATBOT_ADMIN_TOKEN: adminToken,
      CHATBOT_LOG_LEVEL: "Error",
      ...env
    })
    const baseUrl = yield* Program.listening(program)
    return { program, baseUrl, adminToken, env: { CHATBOT_BASE_URL: baseUrl } }
  }).pipe(Effect.provide(NodeServices.layer), Effect.orDie)

/** A backend that the tests of a file share. */
export class Serve extends Context.Service<Serve, Effect.Success<ReturnType<typeof serve>>>()("test/Serve") {
  static readonly layer = Layer.effect(Serve, serve())
}
