/** A proxy of bytes that breaks a connection after so many bytes of the answer. */
import * as Effect from "effect/Effect"
import { createServer } from "node:net"
import { listen, onward } from "./loopback.ts"

/** A proxy to the port of a backend on this machine. */
export const cuttingProxy = (port: number) =>
  Effect.gen(function* () {
    let left = Infinity
    let cuts = 0
    const server = createServer((near) => {
      const far = onward(near, port)
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
    const own = yield* listen(server)
    return {
      baseUrl: `http://127.0.0.1:${own}`,
      /** Cuts after so many bytes from now on, once. */
      cutAfter: (bytes: number) => {
        left = bytes
      },
      cuts: () => cuts
    }
  })
