/** Ports of this machine. */
import * as Effect from "effect/Effect"
import { createServer, type AddressInfo } from "node:net"

/** A port that nobody listens on. */
export const freePort = Effect.callback<number>((resume) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo
    server.close(() => resume(Effect.succeed(port)))
  })
})
