/** Ports of this machine. */
import * as Effect from "effect/Effect"
import type { Server } from "node:http"
import { createServer, type AddressInfo } from "node:net"

/** Lets a server listen on a free port until the scope ends, and gives its URL. */
export const listen = (server: Server) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<void>((resume) => {
        server.listen(0, "127.0.0.1", () => resume(Effect.void))
      }),
      () =>
        Effect.callback<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    ),
    () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  )

/** A port that nobody listens on. */
export const freePort = Effect.callback<number>((resume) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo
    server.close(() => resume(Effect.succeed(port)))
  })
})
