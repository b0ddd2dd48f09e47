/** A proxy of bare sockets between a client and a backend, which loses answers. */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { connect, createServer } from "node:net"
import { listen } from "./loopback.ts"

/** What becomes of an answer. */
type Fate =
  /** It arrives. */
  | { readonly _tag: "Whole" }
  /** It breaks off after this part of its bytes, which may be none and is never all. The connection ends, or is reset. */
  | { readonly _tag: "Cut"; readonly part: number; readonly isReset: boolean }
  /** The connection ends as soon as the request is on its way; that to the backend ends as well, or the answer goes nowhere. */
  | { readonly _tag: "Early"; readonly isPassedOn: boolean }

const nextFate = (random: Random.Random): Fate => {
  const share = random.nextDoubleUnsafe()
  const coin = random.nextDoubleUnsafe() < 0.5
  if (share < 0.4) return { _tag: "Whole" }
  if (share < 0.5) return { _tag: "Early", isPassedOn: coin }
  return { _tag: "Cut", part: share < 0.6 ? 0 : random.nextDoubleUnsafe(), isReset: coin }
}

/** Reads messages of HTTP/1.1, whose bodies must have a length. */
const readMessages = (use: (message: Buffer) => void) => {
  let rest = Buffer.alloc(0)
  return (bytes: Buffer): void => {
    rest = Buffer.concat([rest, bytes])
    for (let end = rest.indexOf("\r\n\r\n"); end !== -1; end = rest.indexOf("\r\n\r\n")) {
      const head = rest.toString("latin1", 0, end)
      if (/^transfer-encoding:/im.test(head)) throw new Error(`This proxy reads no chunks: ${head}`)
      const length = end + 4 + Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0)
      if (rest.length < length) return
      const message = rest.subarray(0, length)
      rest = rest.subarray(length)
      use(message)
    }
  }
}

/** What the proxy did so far. */
export interface Fates {
  /** How many answers arrived. */
  whole: number
  /** How many did not, though the backend had given them. */
  cut: number
  /** How many were not waited for. */
  early: number
}

/** A proxy on a free port, with a connection to the backend for every one of its own. It reads its luck from the `Random` in force. */
export const lossyProxy = (backendUrl: string) =>
  Effect.gen(function* () {
    const random = yield* Random.Random
    const backend = new URL(backendUrl)
    const fates: Fates = { whole: 0, cut: 0, early: 0 }

    const server = createServer((own) => {
      const onward = connect(Number(backend.port), backend.hostname).on("error", () => {})
      let fate: Fate = { _tag: "Whole" }
      own.on(
        "data",
        readMessages((request) => {
          fate = nextFate(random)
          onward.write(request)
          if (fate._tag !== "Early") return
          fates.early++
          own.destroy()
          if (fate.isPassedOn) onward.end()
        })
      )
      onward.on(
        "data",
        readMessages((answer) => {
          switch (fate._tag) {
            case "Whole":
              fates.whole++
              own.write(answer)
              return
            case "Cut": {
              const { isReset, part } = fate
              fates.cut++
              own.write(answer.subarray(0, Math.floor(part * answer.length)), () =>
                isReset ? own.resetAndDestroy() : own.destroy()
              )
              return
            }
            case "Early":
              onward.destroy()
          }
        })
      )
      // A connection that the backend closes for being idle is closed here too.
      onward.on("close", () => own.destroy())
      own.on("close", () => {
        if (fate._tag !== "Early") onward.destroy()
      })
    })

    const port = yield* listen(server)
    return { baseUrl: `http://127.0.0.1:${port}`, fates: fates as Readonly<Fates> }
  })
