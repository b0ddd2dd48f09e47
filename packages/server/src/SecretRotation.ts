/**
 * Seals with the secret key what the key before it had sealed, so that the old one can be thrown away.
 *
 * To rotate the key, start the backend once with the new one in `CHATBOT_SECRET_KEY` and the old one in `CHATBOT_SECRET_KEY_PREVIOUS`.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as SqlClient from "effect/sql/SqlClient"
import { SealedRepository, type SealedRow } from "./repositories/SealedRepository.ts"
import * as SealedPlaces from "./SealedPlaces.ts"
import { SecretBox } from "./SecretBox.ts"

/** How many secrets are read at a time. */
const batch = 100

/** Seals anew what is not sealed with the secret key, and tells how much that was. What neither key opens stays as it is, with a warning. */
export const rotate = Effect.gen(function* () {
  const box = yield* SecretBox
  const stored = yield* SealedRepository
  let resealed = 0
  for (const place of SealedPlaces.all) {
    let after: SealedRow | undefined
    for (;;) {
      const rows = yield* stored.list(place, after, batch)
      for (const row of rows) {
        const sealed = yield* box
          .reseal(row.sealed, place.purpose(row.id, row.part))
          .pipe(Effect.catch((error) => Effect.as(Effect.logWarning(error.message), undefined)))
        if (sealed !== undefined && (yield* stored.replace(place, row, sealed))) resealed++
      }
      after = rows.at(-1)
      if (after === undefined || rows.length < batch) break
    }
  }
  yield* Effect.logInfo(`Sealed ${resealed} secrets with the new secret key`)
  return resealed
})

/** Does so once, before anything else is built on it. */
export const layer: Layer.Layer<never, never, SecretBox | SqlClient.SqlClient> = Layer.effectDiscard(rotate).pipe(
  Layer.provide(SealedRepository.layer)
)

/** What an admin gave and only an admin can give again. The answers that are kept end by themselves. */
const lasting = SealedPlaces.all.filter((place) => place !== SealedPlaces.answer)

/** Warns when the secret key does not open what is stored, as far as the first of each place tell, and tells how many do not. */
export const warn = Effect.gen(function* () {
  const box = yield* SecretBox
  const stored = yield* SealedRepository
  let lost = 0
  for (const place of lasting) {
    for (const row of yield* stored.list(place, undefined, batch)) {
      if (!(yield* Effect.isSuccess(box.open(row.sealed, place.purpose(row.id, row.part))))) lost++
    }
  }
  if (lost > 0) {
    yield* Effect.logWarning(
      `The secret key does not fit ${lost} secrets that are stored, such as keys of OpenAI services. Start with the one they were encrypted with, or give it in CHATBOT_SECRET_KEY_PREVIOUS`
    )
  }
  return lost
})

/** Does so once. */
export const layerWarn: Layer.Layer<never, never, SecretBox | SqlClient.SqlClient> = Layer.effectDiscard(warn).pipe(
  Layer.provide(SealedRepository.layer)
)
