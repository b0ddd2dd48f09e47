/** The faults of connections, over both transports. Time is real here. */
import * as EventStream from "@effect-chatbot/api/EventStream"
import * as NodeTransport from "@effect-chatbot/client/NodeTransport"
import * as Transport from "@effect-chatbot/client/Transport"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Socket } from "node:net"
import { socketServer, tlsServer } from "../support/Sockets.ts"
import { chat, completion, events, received } from "./Answer.ts"
import { complete, get, stream } from "./Calls.ts"
import { fails, gives, noWaits, value } from "./Expect.ts"
import type { Call, Expected, Fault, Setting, Wait } from "./Fault.ts"
import { chunk, lastChunk, nowhere, socketBackend, type Wire, type WireBehaviour } from "./SocketBackend.ts"

/** How long the only attempt of a row that is meant to take too long may take, in milliseconds: so long that even on a busy machine its request arrives. */
const limit = 1000

/** How long a wait is at least; what it is at most, a busy machine says. */
const least = (milliseconds: number): Wait => [milliseconds, Infinity]
const twoWaits = [least(0), least(0)]

const timedOut = (effects = 0, because: "attempts" | "uncertain" = "attempts") =>
  fails("RequestTimedOut", because, noWaits, effects, { limit: "attempt", duration: Duration.millis(limit) })

/** A byte now and then, until the socket is closed. */
const trickle = (socket: Socket, bytes: Uint8Array) => {
  let at = 0
  const timer = setInterval(() => {
    if (at < bytes.length) socket.write(bytes.subarray(at, ++at))
    else clearInterval(timer)
  }, 20)
  socket.on("close", () => clearInterval(timer))
}

/** Byte by byte, each as a packet of its own. */
const inBytes = (socket: Socket, bytes: Uint8Array) => {
  const next = (at: number) => {
    if (at < bytes.length) socket.write(bytes.subarray(at, at + 1), () => setImmediate(next, at + 1))
  }
  next(0)
}

const reset: WireBehaviour = ({ socket }) => socket.resetAndDestroy()
const right: WireBehaviour = ({ answer, socket }) => socket.write(answer())
const rightEvents: WireBehaviour = ({ events, socket }) => {
  const { events: rest, head } = events()
  socket.write(Buffer.concat([head, chunk(EventStream.encode(rest)), lastChunk]))
}

const afterWork =
  (behaviour: WireBehaviour): WireBehaviour =>
  (wire) => {
    wire.answer()
    behaviour(wire)
  }

/** Behaves so at first, and then rightly. */
const once =
  (first: WireBehaviour, then: WireBehaviour = right): WireBehaviour =>
  (wire) =>
    (wire.number === 1 ? first : then)(wire)

/** The bytes of so many events, and their head. */
const begun = ({ events }: Wire, count: number) => {
  const { events: rest, head } = events()
  return Buffer.concat([head, chunk(EventStream.encode(rest.slice(0, count)))])
}

const intact = received(events)

const over = (transportName: string, transport: Setting["transport"]): ReadonlyArray<Fault> => {
  const at = (
    name: string,
    call: Call,
    asks: string,
    setting: Effect.Effect<Setting, never, Scope.Scope>,
    expected: Expected,
    options?: Pick<Fault, "isOnce" | "limit"> & { readonly isHonoured?: boolean }
  ): Fault => ({ name: `${name}, ${transportName}`, asks, call, setting, expected, isHonoured: false, ...options })

  const reads = (name: string, behaviour: WireBehaviour, expected: Expected, limit?: number) =>
    at(name, get, "GET", socketBackend(behaviour, transport), expected, { isOnce: limit !== undefined, limit })
  const asks = (name: string, behaviour: WireBehaviour, expected: Expected, limit?: number) =>
    at(name, complete, "POST", socketBackend(behaviour, transport), expected, { isOnce: limit !== undefined, limit })
  const asksWithKey = (name: string, behaviour: WireBehaviour, expected: Expected) =>
    at(name, complete, "POST, keys", socketBackend(behaviour, transport, true), expected, { isHonoured: true })
  const streams = (name: string, behaviour: WireBehaviour, expected: Expected, limit?: number) =>
    at(name, stream, "stream", socketBackend(behaviour, transport), expected, { limit })
  const unreached = (name: string, error: Expected, setting: Effect.Effect<Setting>) =>
    [
      at(name, get, "GET", setting, { ...error, requests: 0 }),
      at(name, complete, "POST", setting, { ...error, requests: 0 })
    ] as const

  const lost = (waits: ReadonlyArray<Wait>, effects = 0, because: "attempts" | "uncertain" = "attempts") =>
    fails("TransportFailed", because, waits, effects, { reason: "reset" })

  return [
    ...unreached(
      "refused",
      fails("TransportFailed", "attempts", twoWaits, 0, { reason: "refused" }),
      // The address of a server that is no more.
      Effect.suspend(() => socketServer(() => {})).pipe(
        Effect.scoped,
        Effect.map(({ host }) => nowhere(`http://${host}`, transport))
      )
    ),
    at(
      "TLS with a certificate of nobody",
      get,
      "GET",
      Effect.map(
        Effect.suspend(() => tlsServer(() => {})),
        ({ host }) => nowhere(`https://${host}`, transport)
      ),
      { ...fails("TransportFailed", "final", noWaits, 0, { reason: "tls" }), requests: 0 }
    ),
    reads("reset for ever", reset, lost(twoWaits)),
    reads("reset once", once(reset), value(chat, [least(0)])),
    asks("reset before the work", once(reset), lost(noWaits, 0, "uncertain")),
    asks("reset after the work", once(afterWork(reset)), lost(noWaits, 1, "uncertain")),
    asksWithKey("reset before the work", once(reset), value(completion, [least(0)], 1)),
    asksWithKey("reset after the work", once(afterWork(reset)), value(completion, [least(0)], 1)),
    asksWithKey(
      "reset in the body",
      once(({ answer, socket }) => {
        socket.write(answer().subarray(0, -3), () => socket.resetAndDestroy())
      }),
      value(completion, [least(0)], 1)
    ),
    reads(
      "a body that ends before its length",
      ({ answer, socket }) => socket.end(answer().subarray(0, -3)),
      lost(twoWaits)
    ),
    reads("no answer", () => {}, timedOut(), limit),
    asks(
      "no answer, the work done",
      afterWork(() => {}),
      timedOut(1, "uncertain"),
      limit
    ),
    reads("slow headers", ({ answer, socket }) => trickle(socket, answer()), timedOut(), limit),
    reads("headers in single bytes", ({ answer, socket }) => inBytes(socket, answer()), value(chat, noWaits)),
    reads(
      "slow body",
      ({ answer, socket }) => {
        const bytes = answer()
        const end = bytes.indexOf("\r\n\r\n") + 4
        socket.write(bytes.subarray(0, end))
        trickle(socket, bytes.subarray(end))
      },
      timedOut(),
      limit
    ),
    streams(
      "clean end",
      once((wire) => wire.socket.write(Buffer.concat([begun(wire, 5), lastChunk])), rightEvents),
      gives(intact, [least(0)])
    ),
    streams(
      "end with no last chunk",
      once((wire) => wire.socket.end(begun(wire, 5)), rightEvents),
      gives(intact, [least(0)])
    ),
    streams(
      "reset",
      once((wire) => wire.socket.write(begun(wire, 5), () => wire.socket.resetAndDestroy()), rightEvents),
      gives(intact, [least(0)])
    ),
    streams(
      "stall",
      once((wire) => wire.socket.write(begun(wire, 5)), rightEvents),
      gives(intact, [least(limit)]),
      limit
    ),
    streams(
      "single bytes",
      ({ events, socket }) => {
        const { events: rest, head } = events()
        inBytes(socket, Buffer.concat([head, chunk(EventStream.encode(rest)), lastChunk]))
      },
      gives(intact)
    )
  ]
}

/** A resolver that knows no name, so that none is asked for on a network. */
const unresolved = NodeTransport.layerOptions({
  connect: {
    lookup: (host, _, callback) =>
      callback(Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: "ENOTFOUND" }), "", 4)
  }
})

const dns = [
  ["GET", get],
  ["POST", complete]
] as const

/** The faults of connections. */
export const socketFaults: ReadonlyArray<Fault> = [
  ...over("undici", NodeTransport.layer),
  ...over("fetch", Transport.layer),
  ...dns.map(([asks, call]): Fault => ({
    name: "DNS, undici",
    asks,
    call,
    setting: Effect.succeed(nowhere("http://chatbot.invalid", Layer.orDie(unresolved))),
    isHonoured: false,
    expected: { ...fails("TransportFailed", "attempts", twoWaits, 0, { reason: "dns" }), requests: 0 }
  }))
]
