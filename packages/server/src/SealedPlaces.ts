/**
 * Where sealed secrets stand in the database, and what each of them is sealed for: all that `SecretRotation` seals anew.
 *
 * A {@link Purpose} is made here alone, so that nothing is sealed that a rotation does not find.
 */
import * as Brand from "effect/Brand"

/** What a secret is sealed for, such as the row it stands in. */
export type Purpose = string & Brand.Brand<"@effect-chatbot/server/Purpose">

/** A column with sealed secrets. */
export interface Place {
  readonly table: string
  readonly secret: string
  /** The column that names a row, and another where it takes two. */
  readonly id: string
  readonly part?: string
  /** What the secret of a row is sealed for. It stays as it is: what was sealed for something else does not open. */
  readonly purpose: (id: string, part: string) => Purpose
}

const purpose = Brand.nominal<Purpose>()

/** The keys of OpenAI services. */
export const apiKey = {
  table: "open_ai_services",
  secret: "api_key",
  id: "id",
  purpose: (id: string) => purpose(`the API key of the OpenAI service ${id}`)
} as const satisfies Place

/** The answers that are kept for idempotency keys. */
export const answer = {
  table: "idempotency_keys",
  secret: "body",
  id: "hash",
  purpose: (hash: string) => purpose(`the answer to the idempotency key ${hash}`)
} as const satisfies Place

/** The blob clients of Azure configurations. */
export const blobConnection = {
  table: "bot_azure_configurations",
  secret: "blob_connection",
  id: "bot_id",
  part: "kind",
  purpose: (botId: string, kind: string) => purpose(`the blob connection (${kind}) of the bot ${botId}`)
} as const satisfies Place

/** The search clients of Azure configurations. */
export const searchCredential = {
  table: "bot_azure_configurations",
  secret: "search_credential",
  id: "bot_id",
  part: "kind",
  purpose: (botId: string, kind: string) => purpose(`the search credential (${kind}) of the bot ${botId}`)
} as const satisfies Place

/** Every place. */
export const all: ReadonlyArray<Place> = [apiKey, answer, blobConnection, searchCredential]

/** What the processes of a cluster know their secret key by. `Cluster` seals it anew itself. */
export const keyCheck: Purpose = purpose("the check of the secret key")
