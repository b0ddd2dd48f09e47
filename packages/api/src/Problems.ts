/**
 * Every error class of a backend as a problem, for the endpoints that declare it and for the server that writes it.
 */
import {
  BotAlreadyLinked,
  BotCodeTaken,
  BotFactNotFound,
  BotImageNotFound,
  BotLinkNotFound,
  BotNotFound,
  BotsStopped,
  ChatBusy,
  ChatNotFound,
  CompletionNotFound,
  DownloadNotFound,
  FeedbackNotFound,
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
  UnsupportedMediaType,
  UserSystemMessageNotFound
} from "@effect-chatbot/schema/Errors"
import { problem } from "./Problem.ts"

/** Every error class of a backend as a problem, by its tag. */
export const Problems = {
  BotAlreadyLinked: problem(BotAlreadyLinked),
  BotCodeTaken: problem(BotCodeTaken),
  BotFactNotFound: problem(BotFactNotFound),
  BotImageNotFound: problem(BotImageNotFound),
  BotLinkNotFound: problem(BotLinkNotFound),
  BotNotFound: problem(BotNotFound),
  BotsStopped: problem(BotsStopped),
  ChatBusy: problem(ChatBusy),
  ChatNotFound: problem(ChatNotFound),
  CompletionNotFound: problem(CompletionNotFound),
  DownloadNotFound: problem(DownloadNotFound),
  FeedbackNotFound: problem(FeedbackNotFound),
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
  UnsupportedMediaType: problem(UnsupportedMediaType),
  UserSystemMessageNotFound: problem(UserSystemMessageNotFound)
}
