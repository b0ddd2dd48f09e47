/**
 * Identifiers, branded by kind, so that the id of a bot cannot be passed for the id of a chat. Backends of this project use
 * UUIDv7 text (RFC 9562); a foreign one may use any text that is not empty.
 *
 * The types are written out, so that an editor shows `ChatId` and not what it is made of.
 */
import type { Brand } from "effect/Brand"
import * as Schema from "effect/Schema"

/** The id of a fact: a short text that a bot knows. */
export const BotFactId = Schema.NonEmptyString.pipe(Schema.brand("BotFactId"))
/** The id of a fact: a short text that a bot knows. */
export type BotFactId = string & Brand<"BotFactId">

/** The id of a bot or start bot. */
export const BotId = Schema.NonEmptyString.pipe(Schema.brand("BotId"))
/** The id of a bot or start bot. */
export type BotId = string & Brand<"BotId">

/** The id of a chat. */
export const ChatId = Schema.NonEmptyString.pipe(Schema.brand("ChatId"))
/** The id of a chat. */
export type ChatId = string & Brand<"ChatId">

/** The id of a completion: one question of a chat and its answer. */
export const CompletionId = Schema.NonEmptyString.pipe(Schema.brand("CompletionId"))
/** The id of a completion: one question of a chat and its answer. */
export type CompletionId = string & Brand<"CompletionId">

/** The id of a feedback. */
export const FeedbackId = Schema.NonEmptyString.pipe(Schema.brand("FeedbackId"))
/** The id of a feedback. */
export type FeedbackId = string & Brand<"FeedbackId">

/** The id of an OpenAI service: an endpoint and a key that bots answer through. */
export const OpenAiServiceId = Schema.NonEmptyString.pipe(Schema.brand("OpenAiServiceId"))
/** The id of an OpenAI service: an endpoint and a key that bots answer through. */
export type OpenAiServiceId = string & Brand<"OpenAiServiceId">

/** The id of a document that an answer was drawn from. */
export const SourceId = Schema.NonEmptyString.pipe(Schema.brand("SourceId"))
/** The id of a document that an answer was drawn from. */
export type SourceId = string & Brand<"SourceId">

/** A one-time ticket for a download: a secret, usable once and for a short time. */
export const Ticket = Schema.NonEmptyString.pipe(Schema.brand("Ticket"))
/** A one-time ticket for a download: a secret, usable once and for a short time. */
export type Ticket = string & Brand<"Ticket">

/** The id of a user; the only id of the contract that is a number (int32). */
export const UserId = Schema.Finite.check(Schema.isInt32()).pipe(Schema.brand("UserId"))
/** The id of a user; the only id of the contract that is a number (int32). */
export type UserId = number & Brand<"UserId">

/** The id of a user system message: a user's own standing instruction for bots. */
export const UserSystemMessageId = Schema.NonEmptyString.pipe(Schema.brand("UserSystemMessageId"))
/** The id of a user system message: a user's own standing instruction for bots. */
export type UserSystemMessageId = string & Brand<"UserSystemMessageId">
