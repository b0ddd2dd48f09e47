import {
  BotImageNotFound,
  BotNotFound,
  BotsStopped,
  ChatBusy,
  ChatNotFound,
  CompletionNotFound,
  DownloadNotFound,
  Forbidden,
  IdempotencyKeyInUse,
  IdempotencyKeyReused,
  InternalError,
  InvalidRequest,
  OpenAiServiceNotFound,
  PayloadTooLarge,
  ProviderFailed,
  ProviderTimedOut,
  RateLimited,
  TermsNotAccepted,
  Unauthorized,
  Unavailable,
  UserSystemMessageNotFound
} from "@effect-chatbot/schema/Errors"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import type * as Schema from "effect/Schema"
import { problem } from "../Problem.ts"

/** Success without content: 200 with an empty body. */
export const Nothing = HttpApiSchema.Empty(200)

/** Success with a bare text: a JSON string, or the text as it is when the caller prefers `text/plain`. */
export const bareText = <S extends Schema.Top & { readonly Encoded: string }>(schema: S) =>
  [schema, schema.pipe(HttpApiSchema.asText())] as const

/** Every error class of a backend as a problem. */
export const Problems = {
  BotImageNotFound: problem(BotImageNotFound),
  BotNotFound: problem(BotNotFound),
  BotsStopped: problem(BotsStopped),
  ChatBusy: problem(ChatBusy),
  ChatNotFound: problem(ChatNotFound),
  CompletionNotFound: problem(CompletionNotFound),
  DownloadNotFound: problem(DownloadNotFound),
  Forbidden: problem(Forbidden),
  IdempotencyKeyInUse: problem(IdempotencyKeyInUse),
  IdempotencyKeyReused: problem(IdempotencyKeyReused),
  InternalError: problem(InternalError),
  InvalidRequest: problem(InvalidRequest),
  OpenAiServiceNotFound: problem(OpenAiServiceNotFound),
  PayloadTooLarge: problem(PayloadTooLarge),
  ProviderFailed: problem(ProviderFailed),
  ProviderTimedOut: problem(ProviderTimedOut),
  RateLimited: problem(RateLimited),
  TermsNotAccepted: problem(TermsNotAccepted),
  Unauthorized: problem(Unauthorized),
  Unavailable: problem(Unavailable),
  UserSystemMessageNotFound: problem(UserSystemMessageNotFound)
}
