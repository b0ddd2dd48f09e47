/**
 * The calls that workflows make, as activities of `effect/workflow`: what they answered, or failed with, is stored with the workflow, and is
 * what they answer when it goes on after a crash.
 *
 * ```ts
 * const Ask = Workflow.make("Ask", {
 *   payload: { orderId: Schema.String, question: Schema.String },
 *   idempotencyKey: ({ orderId }) => orderId,
 *   success: Completion,
 *   error: Activities.anyError
 * })
 *
 * const AskLive = Ask.toLayer(Effect.fnUntraced(function* ({ question }) {
 *   const { chatId } = yield* Activities.createByBotCode("open", "support").pipe(Activities.deleteOnFailure("clean up"))
 *   return yield* Activities.complete("ask", chatId, question)
 * }))
 * ```
 *
 * The first argument is the name of the activity. It must be of its own in the workflow: a second one of a name answers what the first did.
 *
 * An activity whose process dies before its end is stored runs again. What that does to the backend:
 *
 * - What creates or asks (`create`, `createByBotCode`, `complete`, `feedback`) has an idempotency key that is made of the execution of the
 *   workflow and the name of the activity, the same for every run and for every attempt of `Activity.retry`. A backend that honours keys
 *   does it once and gives the stored answer; while the first request is still at work, the call waits for it until its deadline, and then
 *   fails with `IdempotencyKeyInUse`. Only successes are stored, so that another attempt after a failure asks anew. A backend of this project
 *   keeps them for 24 hours.
 * - A backend that does not honour keys does it again: at least once, then. {@link atMostOnce} fails instead.
 * - What reads, renames, stops or recomputes has the effect of once. What deletes does too, see {@link deleteChat}.
 * - {@link download} takes a new ticket.
 *
 * A compensation that runs activities must be interruptible, as that of {@link deleteOnFailure} is: `effect/cluster` 4.1 can move a workflow to
 * another process only when it is.
 *
 * A key that names a workflow can be guessed, and a backend of this project gives nothing that belongs to nobody for such a key: without a
 * token it refuses `create` and `createByBotCode` with `InvalidRequest`. Give such a call a random key of its own that the program keeps, by
 * `IdempotencyKeys`.
 *
 * Answers and errors are kept in the database of the workflow engine, with what was said in them, but for the bodies of errors. Errors that
 * come out of it have no `CallStory`.
 */
import { Chat, Completion, CreatedChat, type Feedback } from "@effect-chatbot/schema/Chat"
import {
  BotNotFound,
  BotsStopped,
  ChatBusy,
  ChatNotFound,
  CircuitOpen,
  CompletionNotFound,
  DownloadNotFound,
  Forbidden,
  IdempotencyKeyInUse,
  IdempotencyKeyReused,
  InternalError,
  InvalidRequest,
  InvalidResponse,
  OutcomeUnknown,
  PayloadTooLarge,
  ProviderFailed,
  ProviderTimedOut,
  RateLimited,
  RequestTimedOut,
  TermsNotAccepted,
  TransportFailed,
  Unauthorized,
  Unavailable,
  UnexpectedStatus
} from "@effect-chatbot/schema/Errors"
import { BotId, type ChatId, type CompletionId, FeedbackId } from "@effect-chatbot/schema/Ids"
import type { Page } from "@effect-chatbot/schema/Page"
import { type TokenUsage, TokenUsagePage, type TokenUsageQuery } from "@effect-chatbot/schema/TokenUsage"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import type * as Scope from "effect/Scope"
import * as Struct from "effect/Struct"
import * as Activity from "effect/workflow/Activity"
import * as Workflow from "effect/workflow/Workflow"
import type { WorkflowEngine, WorkflowInstance } from "effect/workflow/WorkflowEngine"
import type { BinaryContent } from "./BinaryContent.ts"
import { Bots } from "./Bots.ts"
import type { CallError } from "./CallError.ts"
import { Chats, type Question } from "./Chats.ts"
import { DurableKey } from "./internal/durableKey.ts"
import * as Predicates from "./Predicates.ts"
import { Statistics } from "./Statistics.ts"

/** A schema of what is stored as JSON. */
type Stored<A> = Schema.Codec<A, unknown>

/** What a method of a service can fail with. */
type ErrorOf<Method extends (...args: never) => Effect.Effect<unknown, unknown>> = Effect.Error<ReturnType<Method>>

/** What an activity is given by its engine. */
type Given = Scope.Scope | WorkflowEngine | WorkflowInstance

/** An activity that makes a call: what it answers, what it fails with, and whom it calls. */
export interface CallActivity<A, E, R> extends Activity.Activity<Stored<A>, Stored<E>, R> {}

const callErrors = [
  Unauthorized,
  RateLimited,
  InternalError,
  Unavailable,
  TransportFailed,
  RequestTimedOut,
  UnexpectedStatus,
  InvalidResponse,
  CircuitOpen
] as const

const keyErrors = [IdempotencyKeyInUse, IdempotencyKeyReused] as const

/** The body of an error may hold anything. */
const withoutBody = (error: Schema.Json): Schema.Json =>
  Predicate.hasProperty(error, "body") ? Struct.omit(error, ["body"]) : error

/**
 * The schema of what a call can fail with: these errors, and those that every call can fail with. For {@link make}, and for the error of a
 * workflow. It stores errors without their bodies.
 */
export const errors = <const Members extends ReadonlyArray<Schema.Codec<{ readonly _tag: string }, unknown>>>(
  ...members: Members
): Stored<Members[number]["Type"] | CallError> =>
  Schema.Json.pipe(
    Schema.decodeTo(Schema.toCodecJson(Schema.Union([...members, ...callErrors])), {
      decode: SchemaGetter.passthrough(),
      encode: SchemaGetter.transform(withoutBody)
    })
  )

/** The schema of what any of the calls here can fail with, for the error of a workflow that makes several of them. */
export const anyError = errors(
  BotNotFound,
  BotsStopped,
  ChatBusy,
  ChatNotFound,
  CompletionNotFound,
  DownloadNotFound,
  Forbidden,
  ...keyErrors,
  InvalidRequest,
  PayloadTooLarge,
  ProviderFailed,
  ProviderTimedOut,
  TermsNotAccepted
)

/** An activity of what has none here. All calls in it have the key of the activity, so it may make one that creates or asks. */
export const make = <A, E, R>(options: {
  readonly name: string
  readonly success: Stored<A>
  readonly error: Stored<E>
  readonly execute: Effect.Effect<NoInfer<A>, NoInfer<E>, R>
}): CallActivity<A, E, Exclude<R, Given>> =>
  Activity.make({
    ...options,
    execute: Effect.flatMap(Activity.idempotencyKey(options.name), (key) =>
      Effect.provideService(options.execute, DurableKey, key)
    )
  })

const createErrors = errors(InvalidRequest, TermsNotAccepted, BotNotFound, PayloadTooLarge, ...keyErrors)

/** Creates a chat with a bot, as `Chats.create`. */
export const create = (
  name: string,
  botId: BotId
): CallActivity<CreatedChat, ErrorOf<Chats["Service"]["create"]>, Chats> =>
  make({ name, success: CreatedChat, error: createErrors, execute: Chats.use((chats) => chats.create(botId)) })

/** Creates a chat with the bot of this code, as `Chats.createByBotCode`. */
export const createByBotCode = (
  name: string,
  botCode: string
): CallActivity<CreatedChat, ErrorOf<Chats["Service"]["createByBotCode"]>, Chats> =>
  make({
    name,
    success: CreatedChat,
    error: createErrors,
    execute: Chats.use((chats) => chats.createByBotCode(botCode))
  })

const completeErrors = errors(
  InvalidRequest,
  Forbidden,
  ChatNotFound,
  ChatBusy,
  PayloadTooLarge,
  ProviderFailed,
  ProviderTimedOut,
  BotsStopped,
  ...keyErrors
)

/** Asks a question and waits for the answer, as `Chats.complete`. */
export const complete = (
  name: string,
  chatId: ChatId,
  question: string | Question
): CallActivity<Completion, ErrorOf<Chats["Service"]["complete"]>, Chats> =>
  make({
    name,
    success: Completion,
    error: completeErrors,
    execute: Chats.use((chats) => chats.complete(chatId, question))
  })

const feedbackErrors = errors(InvalidRequest, ChatNotFound, PayloadTooLarge, ...keyErrors)

/** Stores what somebody thinks of an answer and answers the id of it, as `Chats.feedback`. */
export const feedback = (
  name: string,
  chatId: ChatId,
  feedback: Omit<Feedback, "chatId">
): CallActivity<FeedbackId, ErrorOf<Chats["Service"]["feedback"]>, Chats> =>
  make({
    name,
    success: FeedbackId,
    error: feedbackErrors,
    execute: Chats.use((chats) => chats.feedback(chatId, feedback))
  })

const chatErrors = errors(InvalidRequest, ChatNotFound)

/** A chat with all its completions, as `Chats.get`: as it is when the activity runs. */
export const getChat = (name: string, chatId: ChatId): CallActivity<Chat, ErrorOf<Chats["Service"]["get"]>, Chats> =>
  make({ name, success: Chat, error: chatErrors, execute: Chats.use((chats) => chats.get(chatId)) })

const renameErrors = errors(InvalidRequest, ChatNotFound, PayloadTooLarge)

/** Gives a chat another display name, as `Chats.rename`. */
export const rename = (
  name: string,
  chatId: ChatId,
  displayName: string
): CallActivity<void, ErrorOf<Chats["Service"]["rename"]>, Chats> =>
  make({
    name,
    success: Schema.Void,
    error: renameErrors,
    execute: Chats.use((chats) => chats.rename(chatId, displayName))
  })

const stopErrors = errors(InvalidRequest, ChatNotFound, CompletionNotFound)

/** Stops an answer, as `Chats.stop`. Of one that has ended nothing changes. */
export const stop = (
  name: string,
  chatId: ChatId,
  completionId: CompletionId
): CallActivity<void, ErrorOf<Chats["Service"]["stop"]>, Chats> =>
  make({
    name,
    success: Schema.Void,
    error: stopErrors,
    execute: Chats.use((chats) => chats.stop(chatId, completionId))
  })

const deleteErrors = errors(InvalidRequest)

const deleting = (chatId: ChatId) =>
  Chats.use((chats) => Effect.catchTag(chats.delete(chatId), "ChatNotFound", () => Effect.void))

/** Deletes a chat, as `Chats.delete`. One that is not there is a success: an earlier run may have deleted it. */
export const deleteChat = (
  name: string,
  chatId: ChatId
): CallActivity<void, Exclude<ErrorOf<Chats["Service"]["delete"]>, ChatNotFound>, Chats> =>
  make({ name, success: Schema.Void, error: deleteErrors, execute: deleting(chatId) })

/** Until about an hour has gone by. */
const patiently = {
  while: Predicates.isRetryable,
  schedule: Schedule.min([Schedule.exponential("1 second"), Schedule.spaced("1 minute")]),
  times: 60
}

/**
 * Deletes the chat that was created when the workflow fails or is interrupted, by an activity of this name: its compensation. A deletion that
 * fails is tried again for about an hour, and then the chat is left.
 */
export const deleteOnFailure =
  (name: string) =>
  <E, R>(created: Effect.Effect<CreatedChat, E, R>): Effect.Effect<CreatedChat, E, R | Chats | Given> =>
    Workflow.withCompensation(created, ({ chatId }) =>
      make({
        name,
        success: Schema.Void,
        error: deleteErrors,
        execute: Effect.retry(deleting(chatId), patiently)
      }).pipe(
        // Of the error its tag: it may have the id of the chat.
        Effect.catch(({ _tag }) => Effect.logError(`A chat of a workflow that failed was not deleted: ${_tag}.`)),
        // Where a workflow moves to another process, this one would wait for that one, and that one for this.
        Effect.interruptible
      )
    )

const downloadErrors = errors(InvalidRequest, ChatNotFound, DownloadNotFound, ...keyErrors)

/**
 * Fetches a file that a source of the chat names, by a new ticket each time it runs, so that none is stored.
 *
 * `save` is given the file and brings it to where it belongs. What it answers and fails with is stored by `success` and `error`, and nothing
 * else of the file. It must bear to be broken off and to be run again, as by writing to another name and renaming.
 */
export const download = <A, E, R>(
  name: string,
  chatId: ChatId,
  path: string,
  options: {
    readonly success: Stored<A>
    readonly error: Stored<E>
    readonly save: (file: BinaryContent) => Effect.Effect<A, E | CallError, R>
  }
): CallActivity<
  A,
  E | ErrorOf<Chats["Service"]["createTicket"]> | ErrorOf<Chats["Service"]["download"]>,
  Chats | Exclude<R, Given>
> =>
  Activity.make<Chats | R, Stored<A>, Stored<E | typeof downloadErrors.Type>>({
    name,
    success: options.success,
    error: Schema.Union([downloadErrors, options.error]),
    execute: Chats.use((chats) =>
      chats.createTicket(chatId).pipe(
        Effect.flatMap((ticket) => chats.download(chatId, path, { ticket })),
        Effect.flatMap(options.save)
      )
    )
  })

const searchErrors = errors(InvalidRequest, BotNotFound, PayloadTooLarge)

/** The id of the bot that should take a message, as `Bots.search`. */
export const search = (
  name: string,
  botId: BotId,
  userMessage: string
): CallActivity<BotId, ErrorOf<Bots["Service"]["search"]>, Bots> =>
  make({ name, success: BotId, error: searchErrors, execute: Bots.use((bots) => bots.search(botId, userMessage)) })

const tokenUsageErrors = errors(InvalidRequest, Forbidden)

/** A page of what was used, as `Statistics.tokenUsage`. */
export const tokenUsage = (
  name: string,
  query?: TokenUsageQuery
): CallActivity<Page<TokenUsage>, ErrorOf<Statistics["Service"]["tokenUsage"]>, Statistics> =>
  make({
    name,
    success: TokenUsagePage,
    error: tokenUsageErrors,
    execute: Statistics.use((statistics) => statistics.tokenUsage(query))
  })

const recomputeErrors = errors(Forbidden)

/** Computes the statistic anew, as `Statistics.recompute`. */
export const recompute = (
  name: string
): CallActivity<void, Effect.Error<Statistics["Service"]["recompute"]>, Statistics> =>
  make({
    name,
    success: Schema.Void,
    error: recomputeErrors,
    execute: Statistics.use((statistics) => statistics.recompute)
  })

/**
 * Runs an activity that must not be done twice, against a backend that does not honour keys. Where a run of it may have begun and its end is
 * not known, it fails with `OutcomeUnknown` and asks nothing; another attempt of `Activity.retry` asks again.
 *
 * That a run begins is stored too, under the name of the activity and `/begun`.
 */
export const atMostOnce = <A extends Schema.Constraint, E extends Schema.Constraint, R>(
  activity: Activity.Activity<A, E, R>
): Effect.Effect<
  A["Type"],
  E["Type"] | OutcomeUnknown,
  A["DecodingServices"] | E["DecodingServices"] | R | WorkflowEngine | WorkflowInstance
> =>
  Effect.gen(function* () {
    const own = SecureRandom.uuidV4Unsafe()
    const begun = yield* Activity.make({
      name: `${activity.name}/begun`,
      success: Schema.String,
      execute: Effect.succeed(own)
    })
    const error = Schema.Union([activity.errorSchema, OutcomeUnknown])
    return yield* Activity.make<Effect.Services<typeof activity.execute>, A, typeof error>({
      name: activity.name,
      success: activity.successSchema,
      error,
      execute: begun === own ? activity.execute : Effect.fail(new OutcomeUnknown({ activity: activity.name })),
      annotations: activity.annotations
    })
  })
