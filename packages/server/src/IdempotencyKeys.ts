/**
 * Idempotency keys: a request that a caller sends again with the same key takes effect once, and gets the answer it got.
 *
 * The answer is stored in the transaction that stores the work itself. So there is no moment at which one is there and the other is not:
 * a process that dies leaves both or neither, and no key that is begun and never ended.
 */
import type { Caller } from "@effect-chatbot/api/middleware/Authorization"
import { keyHeader } from "@effect-chatbot/api/middleware/IdempotencyKeys"
import { Completion } from "@effect-chatbot/schema/Chat"
import { IdempotencyKeyInUse, IdempotencyKeyReused, InvalidRequest } from "@effect-chatbot/schema/Errors"
import { ChatId, type CompletionId, type UserId } from "@effect-chatbot/schema/Ids"
import * as Context from "effect/Context"
import * as Digest from "effect/crypto/Digest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { userId } from "./Callers.ts"
import { CompletionRunRepository } from "./repositories/CompletionRunRepository.ts"
import { IdempotencyKeyRepository } from "./repositories/IdempotencyKeyRepository.ts"
import { Transactions } from "./repositories/Transactions.ts"
import * as SealedPlaces from "./SealedPlaces.ts"
import { SecretBox } from "./SecretBox.ts"

/** How long an answer is kept for those who send the request again. */
export const keptFor = Duration.hours(24)

/** A request with a key. */
export interface KeyedRequest {
  readonly key: string
  readonly caller: Caller
  /** The name of the endpoint and the parameters of its path. */
  readonly endpoint: string
  readonly params: { readonly [name: string]: string | undefined }
  readonly body: Uint8Array
}

/** An answer, as it is given byte for byte to who sends the request again. Its body is a text. */
export interface Answer {
  readonly status: number
  /** Empty for an answer without content. */
  readonly contentType: string
  readonly body: Uint8Array
}

/** What became of a request with a key. */
export type Outcome<A> =
  /** It was answered before. */
  | { readonly _tag: "Replayed"; readonly answer: Answer }
  /** It is done now. `stored` is what those get who send it again. */
  | { readonly _tag: "Done"; readonly value: A; readonly stored: Answer | undefined }

/** A key, as it is told from others: the hash of whose it is and what it is, and the one of what is asked for. */
export interface RunKey {
  readonly hash: string
  readonly fingerprint: string
}

/** What a run of a completion does with the key of the question that began it. */
export interface KeyedRun {
  /** The key, for a run that goes on elsewhere; see `IdempotencyKeys.ofRun`. */
  readonly key: RunKey | undefined
  /** Fails when the key has an answer by now: of a run that has ended since it was looked for. */
  readonly unlessAnswered: Effect.Effect<void, IdempotencyKeyInUse>
  /** Stores the answer; to be called in the transaction that stores the completion. Fails when the key has another answer already. */
  readonly settle: (completion: Completion) => Effect.Effect<void, IdempotencyKeyInUse>
  /** Keeps the key in use by this completion until it is released, even when the caller leaves before. */
  readonly keep: (completionId: CompletionId) => void
  readonly release: Effect.Effect<void>
}

/** The key of the question being asked; without one there is nothing to do. */
export const KeyedRun = Context.Reference<KeyedRun>("@effect-chatbot/server/KeyedRun", {
  defaultValue: () => ({
    key: undefined,
    unlessAnswered: Effect.void,
    settle: () => Effect.void,
    keep: () => {},
    release: Effect.void
  })
})

/** A request with a key, as it is told from others. */
interface Identity extends RunKey {
  readonly userId: UserId | undefined
  readonly chatId: ChatId | undefined
}

/** Breaks a transaction off without an error. */
class Refused<A> {
  readonly value: A
  constructor(value: A) {
    this.value = value
  }
}

const inUse = (completionId?: CompletionId) =>
  new IdempotencyKeyInUse({ retryAfter: Duration.seconds(1), ...(completionId && { completionId }) })

const encodeCompletion = Schema.encodeEffect(Schema.toCodecJson(Completion))

/** The answer that a completion is to who asks for JSON. */
const answerOfCompletion = (completion: Completion): Effect.Effect<Answer> =>
  Effect.orDie(
    Effect.map(encodeCompletion(completion), (json) => ({
      status: 200,
      contentType: "application/json",
      body: new TextEncoder().encode(JSON.stringify(json))
    }))
  )

// Of these two versions alone it is certain that nobody can guess them (RFC 9562, 5.4 and 5.7).
const randomUuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i

const chatIdOf = ({ params: { chatId = "" } }: KeyedRequest) => (chatId === "" ? undefined : ChatId.make(chatId))

/**
 * Whose key it is: the user's, or that of the chat where there is no user. Whoever knows the unguessable id of an anonymous chat may read
 * it anyway. A key with neither opens its answer to anybody who knows it, so it must be unguessable itself.
 */
const scopeOf = (request: KeyedRequest): Effect.Effect<ReadonlyArray<string | number>, InvalidRequest> => {
  const { caller, key } = request
  const chatId = chatIdOf(request)
  if (caller._tag === "User") return Effect.succeed(["user", caller.id])
  if (chatId !== undefined) return Effect.succeed(["chat", chatId])
  if (randomUuid.test(key)) return Effect.succeed(["anyone"])
  const message = "Expected a UUID of version 4 or 7, because the key stands for a caller without a token"
  return Effect.fail(new InvalidRequest({ issues: [{ path: ["headers", keyHeader], message }] }))
}

/** Idempotency keys. Only successes are stored: what was refused or failed has changed nothing, and may be tried again with the same key. */
export class IdempotencyKeys extends Context.Service<
  IdempotencyKeys,
  {
    /**
     * Does work that is all in the database, and stores its answer with it, in one transaction. Work that has no answer to store is undone.
     * The same request meanwhile waits for it.
     */
    readonly atOnce: <A, E, R>(
      request: KeyedRequest,
      work: Effect.Effect<A, E, R>,
      answerOf: (value: A) => Effect.Effect<Answer | undefined>
    ) => Effect.Effect<Outcome<A>, E | InvalidRequest | IdempotencyKeyInUse | IdempotencyKeyReused, R>
    /**
     * Does work that takes long: it stores its answer by the {@link KeyedRun} it finds. The same request is refused meanwhile. Where two
     * processes do it all the same, only one of them can store it.
     */
    readonly inRun: <A, E, R>(
      request: KeyedRequest,
      work: Effect.Effect<A, E, R>
    ) => Effect.Effect<Outcome<A>, E | InvalidRequest | IdempotencyKeyInUse | IdempotencyKeyReused, R>
    /** The same for a run that goes on elsewhere than where its question was asked. */
    readonly ofRun: (
      key: RunKey,
      question: { readonly chatId: ChatId; readonly userId: UserId | undefined }
    ) => Pick<KeyedRun, "settle">
  }
>()("@effect-chatbot/server/IdempotencyKeys") {
  /** The keys in the database. */
  static readonly layer: Layer.Layer<
    IdempotencyKeys,
    never,
    CompletionRunRepository | Digest.Digest | IdempotencyKeyRepository | SecretBox | Transactions
  > = Layer.effect(
    IdempotencyKeys,
    Effect.gen(function* () {
      const box = yield* SecretBox
      const digest = yield* Digest.Digest
      const keys = yield* IdempotencyKeyRepository
      const runs = yield* CompletionRunRepository
      const transactions = yield* Transactions
      /** The requests that are being answered at length, by the hashes of their keys. */
      const running = new Map<string, { readonly fingerprint: string; completionId: CompletionId | undefined }>()

      const hash = (parts: unknown, body: Uint8Array = new Uint8Array()) => {
        // JSON has no line breaks of its own, so the parts end where the body begins.
        const head = new TextEncoder().encode(`${JSON.stringify(parts)}\n`)
        const bytes = new Uint8Array(head.length + body.length)
        bytes.set(head)
        bytes.set(body, head.length)
        return digest.digestHex(Digest.sha256, bytes)
      }

      const identify = Effect.fnUntraced(function* (request: KeyedRequest) {
        const { body, endpoint, key, params } = request
        const scope = yield* scopeOf(request)
        const fingerprint = yield* hash([endpoint, params], body)
        return {
          hash: yield* hash([...scope, key]),
          fingerprint,
          userId: userId(request.caller),
          chatId: chatIdOf(request)
        } satisfies Identity
      })

      const unlessReused = (identity: Identity, fingerprint: string) =>
        fingerprint === identity.fingerprint ? Effect.void : Effect.fail(new IdempotencyKeyReused({}))

      const find = Effect.fnUntraced(function* (identity: Identity) {
        const row = yield* keys.find(identity.hash, yield* DateTime.now)
        if (row === undefined) return undefined
        yield* unlessReused(identity, row.fingerprint)
        const body = yield* Effect.orDie(box.open(row.body, SealedPlaces.answer.purpose(identity.hash)))
        const answer = {
          status: row.status,
          contentType: row.contentType,
          body: new TextEncoder().encode(Redacted.value(body))
        }
        return { _tag: "Replayed", answer } as const
      })

      const isAnswered = ({ hash }: Identity) =>
        Effect.flatMap(DateTime.now, (now) => Effect.map(keys.find(hash, now), Predicate.isNotUndefined))

      /** Stores an answer in the transaction that is open. */
      const store = Effect.fnUntraced(function* ({ chatId, fingerprint, hash, userId }: Identity, answer: Answer) {
        const { body, contentType, status } = answer
        // An answer may be a secret, as a ticket is, of which the database otherwise has the hash only.
        const text = Redacted.make(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body))
        const sealed = yield* box.seal(text, SealedPlaces.answer.purpose(hash))
        const now = yield* DateTime.now
        const isStored = yield* keys.insert(
          {
            hash,
            fingerprint,
            status,
            contentType,
            body: sealed,
            userId,
            chatId,
            expiresUtc: DateTime.addDuration(now, keptFor)
          },
          now
        )
        if (!isStored) return yield* inUse()
      })

      const atOnce = Effect.fn("IdempotencyKeys.atOnce")(function* <A, E, R>(
        request: KeyedRequest,
        work: Effect.Effect<A, E, R>,
        answerOf: (value: A) => Effect.Effect<Answer | undefined>
      ) {
        const identity = yield* identify(request)
        const once = Effect.gen(function* () {
          yield* transactions.lock(`idempotency key ${identity.hash}`)
          const replayed = yield* find(identity)
          if (replayed !== undefined) return replayed
          const value = yield* work
          const stored = yield* answerOf(value)
          if (stored === undefined) return yield* Effect.fail(new Refused(value))
          yield* store(identity, stored)
          return { _tag: "Done", value, stored } as const
        })
        return yield* Effect.catchIf(
          transactions.run(once),
          (error) => error instanceof Refused,
          ({ value }) => Effect.succeed({ _tag: "Done", value, stored: undefined } as const)
        )
      })

      const claim = (identity: Identity) =>
        Effect.suspend(() => {
          const other = running.get(identity.hash)
          if (other !== undefined) {
            return Effect.andThen(unlessReused(identity, other.fingerprint), Effect.fail(inUse(other.completionId)))
          }
          const own = { fingerprint: identity.fingerprint, completionId: undefined }
          running.set(identity.hash, own)
          return Effect.succeed<{ completionId: CompletionId | undefined }>(own)
        })

      /** Fails where another process, or this one, runs the completion for the key. */
      const unlessRunning = Effect.fnUntraced(function* (identity: Identity) {
        const running = yield* runs.findByKey(identity.hash)
        if (running === undefined) return
        yield* unlessReused(identity, running.fingerprint)
        return yield* inUse(running.completionId)
      })

      const inRun = Effect.fn("IdempotencyKeys.inRun")(function* <A, E, R>(
        request: KeyedRequest,
        work: Effect.Effect<A, E, R>
      ) {
        const identity = yield* identify(request)
        // In this order, a run that ends between is found in its answer.
        yield* unlessRunning(identity)
        const replayed = yield* find(identity)
        if (replayed !== undefined) return replayed

        let isKept = false
        let stored: Answer | undefined
        const release = Effect.sync(() => {
          running.delete(identity.hash)
        })
        return yield* Effect.acquireUseRelease(
          claim(identity),
          (own) =>
            Effect.gen(function* () {
              // It may have been answered between the first look and the claim.
              const replayed = yield* find(identity)
              if (replayed !== undefined) return replayed
              const keyed: KeyedRun = {
                key: { hash: identity.hash, fingerprint: identity.fingerprint },
                unlessAnswered: Effect.flatMap(isAnswered(identity), (isAnswered) =>
                  isAnswered ? Effect.fail(inUse()) : Effect.void
                ),
                settle: Effect.fnUntraced(function* (completion) {
                  stored = yield* answerOfCompletion(completion)
                  yield* store(identity, stored)
                }),
                keep: (completionId) => {
                  isKept = true
                  own.completionId = completionId
                },
                release
              }
              const value = yield* Effect.provideService(work, KeyedRun, keyed)
              return { _tag: "Done", value, stored } as const
            }),
          () => Effect.suspend(() => (isKept ? Effect.void : release))
        )
      })

      const ofRun = (key: RunKey, { chatId, userId }: Pick<Identity, "chatId" | "userId">) => ({
        settle: (completion: Completion) =>
          Effect.flatMap(answerOfCompletion(completion), (answer) => store({ ...key, chatId, userId }, answer))
      })

      return { atOnce, inRun, ofRun }
    })
  )
}
