/** A proxy of bytes to a port of this machine that can be away: then it breaks every connection and refuses new ones. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { createServer } from "node:net"
import { listen, onward } from "./loopback.ts"

/** A proxy, there at first. Gone with the scope. */
export const awayProxy = (port: number) =>
  Effect.gen(function* () {
    const server = createServer((near) => {
      onward(near, port).pipe(near)
    })
    const scope = yield* Effect.scope
    let stay = yield* Scope.fork(scope)
    const own = yield* Scope.provide(listen(server), stay)
    return {
      port: own,
      leave: Effect.suspend(() => Scope.close(stay, Exit.void)),
      comeBack: Effect.gen(function* () {
        stay = yield* Scope.fork(scope)
        yield* Scope.provide(listen(server, own), stay)
      })
    }
  })
