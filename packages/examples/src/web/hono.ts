/**
 * The handlers of `web/answers.ts`, served with Hono.
 *
 * ```sh
 * node packages/examples/src/web/hono.ts
 * ```
 */
import { serve } from "@hono/node-server"
import { Hono } from "hono"
import { answer, answerStream, client } from "./answers.ts"

const app = new Hono()
  .post("/api/answer", ({ req }) => answer(req.raw))
  .post("/api/answer/stream", ({ req }) => answerStream(req.raw))

const server = serve(
  { fetch: app.fetch, hostname: "127.0.0.1", port: Number(process.env["PORT"] ?? 3000) },
  ({ address, port }) => console.log(`Listening on http://${address}:${port}`)
)

// What still runs is broken off by closing the client.
process.once("SIGTERM", () => {
  server.close()
  void client.close()
})
