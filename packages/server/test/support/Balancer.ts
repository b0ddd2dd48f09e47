/** A balancer of bytes: each request goes to the next of several processes, also those that come on one connection. */
import * as Effect from "effect/Effect"
import { connect, createServer, type Socket } from "node:net"
import { listen } from "./loopback.ts"

const startOfRequest = /^[A-Z]{3,7} \S+ HTTP\/1\.1\r\n/

/** Balances between these ports. One that does not listen is passed over. */
export const make = (ports: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    let turn = 0
    const server = createServer({ allowHalfOpen: true }, (near) => {
      let far: Socket | undefined
      let isAnswered = false
      const open = (first: Buffer, tries: number) => {
        const next = connect({ port: ports[turn++ % ports.length] ?? 0, host: "127.0.0.1", allowHalfOpen: true })
        far = next
        isAnswered = false
        let isConnected = false
        next.on("connect", () => {
          isConnected = true
        })
        next.on("error", () => {
          if (far !== next) return
          if (!isConnected && tries > 1) open(first, tries - 1)
          else near.resetAndDestroy()
        })
        next.on("data", (bytes) => {
          if (far !== next) return
          isAnswered = true
          if (!near.write(bytes)) {
            next.pause()
            near.once("drain", () => next.resume())
          }
        })
        next.on("end", () => {
          if (far === next) near.end()
        })
        next.write(first)
      }
      near.on("data", (bytes) => {
        if (far === undefined || (isAnswered && startOfRequest.test(bytes.toString("latin1")))) {
          // The one before has answered.
          far?.destroy()
          open(bytes, ports.length)
        } else if (!far.write(bytes)) {
          const current = far
          near.pause()
          current.once("drain", () => near.resume())
        }
      })
      near.on("end", () => far?.end())
      near.on("close", () => far?.destroy())
    })
    return { port: yield* listen(server) }
  })
