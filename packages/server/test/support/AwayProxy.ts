/** A proxy of bytes to a port of this machine that can be away: then it breaks every connection and refuses new ones. */
import * as Effect from "effect/Effect"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"

/** A proxy, there at first. Gone with the scope. */
export const awayProxy = (port: number) =>
  Effect.gen(function* () {
    const sockets = new Set<Socket>()
    const server = createServer((near) => {
      const far = connect(port, "127.0.0.1")
      for (const socket of [near, far]) {
        sockets.add(socket)
        socket.on("error", () => {})
        socket.on("close", () => {
          sockets.delete(socket)
          near.destroy()
          far.destroy()
        })
      }
      near.pipe(far)
      far.pipe(near)
    })
    const listen = (port: number) =>
      Effect.callback<void>((resume) => {
        server.listen(port, "127.0.0.1", () => resume(Effect.void))
      })
    const close = Effect.callback<void>((resume) => {
      server.close(() => resume(Effect.void))
      for (const socket of sockets) socket.destroy()
    })
    yield* Effect.acquireRelease(listen(0), () => close)
    const own = (server.address() as AddressInfo).port
    return { port: own, leave: close, comeBack: listen(own) }
  })
