/** A proxy of bytes that breaks a connection after so many bytes of the answer. */
import * as Effect from "effect/Effect"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"

/** A proxy to the port of a backend on this machine. */
export const cuttingProxy = (port: number) =>
  Effect.gen(function* () {
    let left = Infinity
    let cuts = 0
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
      far.on("data", (bytes) => {
        if (left > bytes.length) {
          left -= bytes.length
          near.write(bytes)
          return
        }
        const last = bytes.subarray(0, left)
        left = Infinity
        cuts++
        // What is sent must go out before the connection breaks, or the cut would be somewhere else.
        far.removeAllListeners("data")
        near.write(last, () => near.resetAndDestroy())
      })
    })
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => {
        server.listen(0, "127.0.0.1", () => resume(Effect.void))
      }),
      () =>
        Effect.callback<void>((resume) => {
          server.close(() => resume(Effect.void))
          for (const socket of sockets) socket.destroy()
        })
    )
    return {
      baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      /** Cuts after so many bytes from now on, once. */
      cutAfter: (bytes: number) => {
        left = bytes
      },
      cuts: () => cuts
    }
  })
