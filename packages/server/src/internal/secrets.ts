/**
 * Secrets that are handed out once and kept only as their hash: tokens and tickets. They have 256 random bits, so a plain hash is enough;
 * there is nothing to guess.
 */
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"

/** Makes and hashes secrets. */
export const make = Effect.gen(function* () {
  const random = yield* SecureRandom.SecureRandom
  const digest = yield* Digest.Digest
  return {
    /** 256 random bits, as text that needs no escaping in a URL or a header. */
    generate: Effect.map(random.randomBytes(32), (bytes) => Base64Url.encode(bytes)),
    /** SHA-256, in lower-case hexadecimal. */
    hash: (secret: string) => digest.digestHex(Digest.sha256, new TextEncoder().encode(secret))
  }
})
