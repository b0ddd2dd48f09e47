/** An issuer of JSON Web Tokens on the loopback, with a real server of its keys. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as jose from "jose"
import { once } from "node:events"
import { createServer } from "node:http"

/** The issuer and the audience of its tokens, unless a test says otherwise. */
export const issuer = "https://id.example.com/"
export const audience = "chatbot"

/** A key pair with its public half as it is published. */
export interface Key {
  readonly alg: string
  readonly privateKey: jose.CryptoKey
  readonly jwk: jose.JWK & { readonly kid: string }
}

/** Makes a key pair. */
export const makeKey = (kid: string, alg = "RS256"): Effect.Effect<Key> =>
  Effect.promise(async () => {
    const { privateKey, publicKey } = await jose.generateKeyPair(alg, { extractable: true })
    return { alg, privateKey, jwk: { ...(await jose.exportJWK(publicKey)), kid, alg, use: "sig" } }
  })

/** What a token says; what is not said is said well. `undefined` leaves a claim out. */
export interface Said {
  readonly claims?: { readonly [name: string]: unknown }
  readonly header?: { readonly [name: string]: unknown }
}

/** Signs a token that is valid for five minutes. */
export const sign = (
  key: Pick<Key, "alg" | "jwk"> & { readonly privateKey: jose.CryptoKey | Uint8Array },
  said: Said = {}
) =>
  Effect.gen(function* () {
    const now = Math.floor((yield* Clock.currentTimeMillis) / 1000)
    const claims = { iss: issuer, aud: audience, sub: "ann", iat: now, exp: now + 300, ...said.claims }
    const kept = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined))
    return yield* Effect.promise(() =>
      new jose.SignJWT(kept)
        .setProtectedHeader({ alg: key.alg, kid: key.jwk.kid, typ: "JWT", ...said.header })
        .sign(key.privateKey)
    )
  })

/** A server of public keys. */
export const serve = Effect.acquireRelease(
  Effect.promise(async () => {
    const state = { keys: new Array<jose.JWK>(), status: 200, asked: 0 }
    const server = createServer((_request, response) => {
      state.asked++
      response.writeHead(state.status, { "content-type": "application/json" })
      response.end(JSON.stringify({ keys: state.keys }))
    })
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    const address = server.address()
    const port = address === null || typeof address === "string" ? 0 : address.port
    return { state, server, url: new URL(`http://127.0.0.1:${port}/keys`) }
  }),
  ({ server }) =>
    Effect.sync(() => {
      server.closeAllConnections()
      server.close()
    })
)
