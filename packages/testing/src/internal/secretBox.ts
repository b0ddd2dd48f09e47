import { SecretBox, SecretUnreadable } from "@effect-chatbot/server/SecretBox"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"

/**
 * Seals with nothing but the purpose, in a database that nobody else ever sees: real ciphers are promises, and what waits for a promise does
 * not keep to the clock of a test.
 */
export const secretBox: Layer.Layer<SecretBox> = Layer.sync(SecretBox, () => {
  const prefixOf = (purpose: string) => `${purpose}\n`
  return {
    seal: (secret, purpose) => Effect.sync(() => new TextEncoder().encode(prefixOf(purpose) + Redacted.value(secret))),
    open: (sealed, purpose) => {
      const text = new TextDecoder().decode(sealed)
      const prefix = prefixOf(purpose)
      return text.startsWith(prefix)
        ? Effect.succeed(Redacted.make(text.slice(prefix.length), { label: "secret" }))
        : Effect.fail(new SecretUnreadable({ purpose }))
    },
    reseal: () => Effect.undefined
  }
})
