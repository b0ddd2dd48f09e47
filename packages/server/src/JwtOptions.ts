/**
 * Whose JSON Web Tokens (RFC 7519) are taken for bearer tokens, and what in them says who calls.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"

/** The algorithms by which a token may be signed: those with a public key to check it by. A secret that is shared is none of them. */
export const algorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519"
] as const

/** An algorithm by which a token may be signed. */
export type Algorithm = (typeof algorithms)[number]

/** Whose tokens are taken, and what in them says who calls. */
export interface JwtOptions {
  /** What `iss` must be, letter by letter. */
  readonly issuer: string
  /** What `aud` must be or contain. */
  readonly audience: string
  /** Where the public keys of the issuer are (RFC 7517, 5). */
  readonly jwksUrl: URL
  /** The algorithms that are taken. */
  readonly algorithms: ReadonlyArray<Algorithm>
  /**
   * The claim with the name of the user; a path with dots goes into objects. Of the standard claims only `sub` is never given to somebody
   * else; with another, that is up to the issuer.
   */
  readonly loginClaim: string
  /** What stands before the name in the login, so that no token can make its bearer a user that was made here, such as `admin`. */
  readonly loginPrefix: string
  /** The claim with the roles: a list of texts, or one text with spaces between; a path with dots goes into objects. */
  readonly roleClaim: string
  /** The role that makes an `Admin`. */
  readonly adminRole: string
  /** How far the clock of the issuer may be off. */
  readonly clockTolerance: Duration.Duration
}

/** What is chosen where nothing is said. */
export const defaults = {
  algorithms,
  loginClaim: "sub",
  loginPrefix: "jwt:",
  roleClaim: "roles",
  adminRole: "Admin",
  clockTolerance: Duration.seconds(30)
} as const

/** The options in force; without them, which is the default, no JSON Web Token is taken. */
export const JwtOptions = Context.Reference<JwtOptions | undefined>("@effect-chatbot/server/JwtOptions", {
  defaultValue: () => undefined
})
