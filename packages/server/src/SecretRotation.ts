/**
 * Seals with the secret key what the key before it had sealed, so that the old one can be thrown away.
 *
 * To rotate the key, start the backend once with the new one in `CHATBOT_SECRET_KEY` and the old one in `CHATBOT_SECRET_KEY_PREVIOUS`.
 */
import { OpenAiServiceId } from "@effect-chatbot/schema/Ids"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as SqlClient from "effect/sql/SqlClient"
import * as IdempotencyKeys from "./IdempotencyKeys.ts"
import * as OpenAiServices from "./OpenAiServices.ts"
import { type Place, SealedRepository } from "./repositories/SealedRepository.ts"
import { SecretBox } from "./SecretBox.ts"

const purposes: { readonly [P in Place]: (id: string) => string } = {
  apiKeys: (id) => OpenAiServices.purposeOf(OpenAiServiceId.make(id)),
  answers: IdempotencyKeys.purposeOf
}

const places: ReadonlyArray<Place> = ["apiKeys", "answers"]

/** How many secrets are read at a time. */
const batch = 100

/** Seals anew what is not sealed with the secret key, and tells how much that was. What neither key opens stays as it is, with a warning. */
export const rotate = Effect.gen(function* () {
  const box = yield* SecretBox
  const stored = yield* SealedRepository
  let resealed = 0
  for (const place of places) {
    let after = ""
    for (;;) {
      const rows = yield* stored.list(place, after, batch)
      for (const row of rows) {
        const sealed = yield* box
          .reseal(row.sealed, purposes[place](row.id))
          .pipe(Effect.catch((error) => Effect.as(Effect.logWarning(error.message), undefined)))
        if (sealed !== undefined && (yield* stored.replace(place, row, sealed))) resealed++
      }
      const last = rows.at(-1)
      if (last === undefined || rows.length < batch) break
      after = last.id
    }
  }
  yield* Effect.logInfo(`Sealed ${resealed} secrets with the new secret key`)
  return resealed
})

/** Does so once, before anything else is built on it. */
export const layer: Layer.Layer<never, never, SecretBox | SqlClient.SqlClient> = Layer.effectDiscard(rotate).pipe(
  Layer.provide(SealedRepository.layer)
)
