/** Servers and sockets of a test, on free ports of this machine. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type AddressInfo, connect, type Server, type Socket } from "node:net"

/** Lets a server listen until the scope is closed, which breaks its connections. Gives the port. */
export const listen = (server: Server, port = 0): Effect.Effect<number, never, Scope.Scope> => {
  const sockets = new Set<Socket>()
  const track = (socket: Socket) => {
    sockets.add(socket)
    socket.on("error", () => {}).on("close", () => sockets.delete(socket))
  }
  return Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.on("connection", track)
      server.listen(port, "127.0.0.1", () => resume(Effect.succeed((server.address() as AddressInfo).port)))
    }),
    () =>
      Effect.callback<void>((resume) => {
        server.off("connection", track)
        server.close(() => resume(Effect.void))
        for (const socket of sockets) socket.destroy()
      })
  )
}

/** A connection to a port for one that came in: what comes there goes out here, and the two end together. */
export const onward = (near: Socket, port: number): Socket => {
  const far = connect(port, "127.0.0.1")
  for (const socket of [near, far]) {
    socket
      .on("error", () => {})
      .on("close", () => {
        near.destroy()
        far.destroy()
      })
  }
  near.pipe(far)
  return far
}
