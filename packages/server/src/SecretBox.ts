/**
 * Seals secrets for the database: AES-256-GCM (NIST SP 800-38D) under a key that is not in it.
 *
 * A sealed secret is a version byte, the nonce, and the ciphertext with its tag. What the secret is for is authenticated with it, so that
 * a sealed secret moved to another row does not open there.
 *
 * When the key is changed, the one before is given too: it opens what it sealed, and seals nothing any more, see `SecretRotation`.
 */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as Context from "effect/Context"
import * as Aead from "effect/crypto/Aead"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Hex from "effect/encoding/Hex"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type * as PlatformError from "effect/PlatformError"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Purpose } from "./SealedPlaces.ts"

/** The key of the {@link SecretBox} cannot be used. The message says where it came from and what to do, and never the key. */
export class InvalidSecretKey extends Schema.TaggedError<InvalidSecretKey>()("InvalidSecretKey", {
  message: Schema.String
}) {}

/** A sealed secret does not open: it was sealed with another key, for another purpose, or was changed since. */
export class SecretUnreadable extends Schema.TaggedError<SecretUnreadable>()("SecretUnreadable", {
  /** What the secret is for. */
  purpose: Schema.String
}) {
  override get message(): string {
    return `The secret of ${this.purpose} does not open with the secret key of this backend`
  }
}

/** Seals and opens secrets. */
export class SecretBox extends Context.Service<
  SecretBox,
  {
    /** Seals a secret for a purpose, such as the id of the row it stands in. */
    readonly seal: (secret: Redacted.Redacted, purpose: Purpose) => Effect.Effect<Uint8Array>
    /** Opens what was sealed for the same purpose, with this key or the one before. */
    readonly open: (sealed: Uint8Array, purpose: Purpose) => Effect.Effect<Redacted.Redacted, SecretUnreadable>
    /** Seals anew what the key before had sealed. Absent for what this key has sealed already. */
    readonly reseal: (sealed: Uint8Array, purpose: Purpose) => Effect.Effect<Uint8Array | undefined, SecretUnreadable>
  }
>()("@effect-chatbot/server/SecretBox") {}

const version = 1
const nonceLength = Aead.aes256Gcm.nonceLength
const keyLength = Aead.aes256Gcm.keyLength

const make = Effect.fnUntraced(function* (keyBytes: Uint8Array, previousBytes: Uint8Array | undefined) {
  const aead = yield* Aead.Aead
  const random = yield* SecureRandom.SecureRandom
  // The length was checked where the key came from, so nothing below can fail but for a sealed secret that does not fit.
  const keyOf = (bytes: Uint8Array) => Effect.orDie(Aead.key(Aead.aes256Gcm, bytes))
  const current = yield* keyOf(keyBytes)
  const previous = previousBytes === undefined ? undefined : yield* keyOf(previousBytes)

  const seal = Effect.fnUntraced(function* (secret: Redacted.Redacted, purpose: Purpose) {
    const nonce = yield* random.randomBytes(nonceLength)
    const text = new TextEncoder().encode(Redacted.value(secret))
    const aad = new TextEncoder().encode(purpose)
    const ciphertext = yield* Effect.orDie(aead.encrypt(current, text, { nonce, aad }))
    const sealed = new Uint8Array(1 + nonceLength + ciphertext.length)
    sealed[0] = version
    sealed.set(nonce, 1)
    sealed.set(ciphertext, 1 + nonceLength)
    return sealed
  })

  const openWith = (key: typeof current, sealed: Uint8Array, purpose: Purpose) => {
    if (sealed[0] !== version || sealed.length < 1 + nonceLength) return Effect.fail(new SecretUnreadable({ purpose }))
    const nonce = sealed.slice(1, 1 + nonceLength)
    return aead.decrypt(key, sealed.slice(1 + nonceLength), { nonce, aad: new TextEncoder().encode(purpose) }).pipe(
      Effect.map((text) => Redacted.make(new TextDecoder().decode(text), { label: "secret" })),
      Effect.mapError(() => new SecretUnreadable({ purpose }))
    )
  }

  const openWithPrevious = (sealed: Uint8Array, purpose: Purpose) =>
    previous === undefined ? Effect.fail(new SecretUnreadable({ purpose })) : openWith(previous, sealed, purpose)

  return SecretBox.of({
    seal,
    open: (sealed, purpose) =>
      openWith(current, sealed, purpose).pipe(Effect.catch(() => openWithPrevious(sealed, purpose))),
    reseal: (sealed, purpose) =>
      Effect.matchEffect(openWith(current, sealed, purpose), {
        onSuccess: () => Effect.undefined,
        onFailure: () => Effect.flatMap(openWithPrevious(sealed, purpose), (secret) => seal(secret, purpose))
      })
  })
})

/** A new key, for an operator or a key file: 32 random bytes in Base64. */
const newKey = Effect.map(
  Effect.flatMap(SecureRandom.SecureRandom, (random) => random.randomBytes(keyLength)),
  Base64.encode
)

const parse = (text: string, where: string): Effect.Effect<Uint8Array, InvalidSecretKey> => {
  const bytes = Base64.decode(text.trim())
  return Result.isSuccess(bytes) && bytes.success.length === keyLength
    ? Effect.succeed(bytes.success)
    : Effect.fail(new InvalidSecretKey({ message: `${where} must hold 32 random bytes in Base64` }))
}

/** The key in the file; it is made when there is none. Of two processes that make it at once, both end with the same key. */
const fromFile = Effect.fnUntraced(
  function* (file: string) {
    const fs = yield* FileSystem.FileSystem
    const random = yield* SecureRandom.SecureRandom
    if (!(yield* fs.exists(file))) {
      // Linked when it is complete, so that nobody finds half a key, and a key that is there already is never replaced.
      const draft = `${file}.${Hex.encode(yield* random.randomBytes(8))}`
      yield* fs.writeFileString(draft, `${yield* newKey}\n`, { mode: 0o600, flag: "wx" }).pipe(
        Effect.andThen(fs.link(draft, file)),
        Effect.catchIf(
          (error) => error.reason._tag === "AlreadyExists",
          () => Effect.void
        ),
        Effect.ensuring(Effect.ignore(fs.remove(draft, { force: true })))
      )
    }
    return yield* fs.readFileString(file)
  },
  Effect.mapError(
    (error: PlatformError.PlatformError) =>
      new InvalidSecretKey({ message: `The file of the secret key cannot be read or made: ${error.message}` })
  )
)

/** Where the key comes from. */
export interface Options {
  /** 32 bytes in Base64, as in `CHATBOT_SECRET_KEY`. */
  readonly key?: Redacted.Redacted | undefined
  /** The key before this one, as in `CHATBOT_SECRET_KEY_PREVIOUS`, when it was changed. */
  readonly previous?: Redacted.Redacted | undefined
  /** The file to keep a key in when none is given; it is made on the first start, readable by its owner only. Its folder must exist. */
  readonly file: string
}

/** A secret box with the key that is given, or else the one in the file. */
export const layer = (options: Options): Layer.Layer<SecretBox, InvalidSecretKey, FileSystem.FileSystem> =>
  Layer.effect(
    SecretBox,
    Effect.gen(function* () {
      const bytes =
        options.key !== undefined && Redacted.value(options.key) !== ""
          ? yield* parse(Redacted.value(options.key), "CHATBOT_SECRET_KEY")
          : yield* Effect.flatMap(fromFile(options.file), (text) => parse(text, `The file "${options.file}"`))
      const { previous } = options
      const previousBytes =
        previous !== undefined && Redacted.value(previous) !== ""
          ? yield* parse(Redacted.value(previous), "CHATBOT_SECRET_KEY_PREVIOUS")
          : undefined
      return yield* make(bytes, previousBytes)
    })
  ).pipe(Layer.provide([NodeCrypto.layerAead, NodeCrypto.layerSecureRandom]))
