import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import type { Leftover } from "../../ConformanceReport.ts"
import { type Answer, ask } from "./exchange.ts"
import { fields, inShort } from "./expect.ts"
import { fact, namedBot, ownBot, question } from "./given.ts"
import { type Caller, type Need, Target } from "./Target.ts"

/** The backend, and who calls it. */
export interface TargetOptions {
  /** Where the backend is, with the path that those of the contract stand below, if there is one. */
  readonly baseUrl: string
  /** The token of an admin. */
  readonly token?: Redacted.Redacted | undefined
  /** The token of a user who is no admin. */
  readonly userToken?: Redacted.Redacted | undefined
  /** That of another one. */
  readonly otherToken?: Redacted.Redacted | undefined
  /** The code of a bot to chat with. Without one an admin makes one, which is deleted at the end. */
  readonly botCode?: string | undefined
  /**
   * Whether the backend has the operations of the group `administration`, so that an admin can make bots. Without them a bot must be named,
   * and checks that need more are skipped. Default `true`.
   */
  readonly canMakeBots?: boolean | undefined
  /** What the bot is asked; it should know an answer. */
  readonly question?: string | undefined
  /**
   * Whether checks may run that touch what they did not make: all chats of the user, the status and the stop flag of the backend, its running
   * answers and its caches. What can be restored is. Default `false`.
   */
  readonly isDestructive?: boolean | undefined
  /** How long an answer may take, with its body. Default 30 seconds. */
  readonly timeout?: Duration.Input | undefined
  /** What is told of something that could not be removed, as soon as that is known. By default it is logged as an error. */
  readonly onLeftover?: ((leftover: Leftover) => Effect.Effect<void>) | undefined
}

/** The backend cannot be checked: it is not there, or does not take the tokens. */
export class CannotRun extends Schema.TaggedError<CannotRun>()("CannotRun", {
  message: Schema.String
}) {
  override readonly [Runtime.errorExitCode] = 2
  override readonly [Runtime.errorReported] = false
}

const gives: Readonly<Record<Need, string>> = {
  admin: "give the token of an admin (--token)",
  user: "give the token of a user (--user-token)",
  member: "give the token of a user who is no admin (--user-token)",
  other: "give the token of a second user (--other-token)",
  bot: "name a bot (--bot), or give the token of an admin (--token), who can make one",
  bots: "give the token of an admin (--token), who can make bots, and choose the group administration too",
  destruction: "allow what touches more than the run has made (--destructive)"
}

const cannotRun = (message: string) => Effect.fail(new CannotRun({ message }))

const isForbidden = ({ status }: Answer): boolean => status === 403
const isFine = ({ status }: Answer): boolean => status === 200

/** What other web servers, and those of other paths, answer: a page, or the way to one. */
const isElsewhere = ({ headers, status }: Answer): boolean =>
  (status >= 300 && status < 400) || (headers["content-type"] ?? "").startsWith("text/html")

// What may stand in a header by RFC 9110, without blanks.
const isSendable = (token: Redacted.Redacted | undefined): boolean =>
  token === undefined || /^[\u0021-\u007e]+$/.test(Redacted.value(token))

const callers = ["admin", "user", "other"] as const

/** Whether the backend is there, and takes the tokens for what they were given as. Anything else that is wrong with it is for the checks. */
const probe = Effect.gen(function* () {
  const { baseUrl, tokens } = yield* Target
  const url = URL.parse(baseUrl)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    return yield* cannotRun("That is not the URL of a backend: it begins with http:// or https://")
  }
  if ([url.username, url.password, url.search, url.hash].some((part) => part !== "")) {
    return yield* cannotRun("The URL of a backend has no user, password, query or fragment")
  }
  const given = callers.filter((as) => tokens[as] !== undefined && !(as === "user" && tokens.user === tokens.admin))
  const unfit = given.find((as) => !isSendable(tokens[as]))
  if (unfit !== undefined) return yield* cannotRun(`The token of the ${unfit} has characters that no token may have`)
  const current = (as: Caller) => Effect.map(Effect.result(ask("users.current", { as })), (answer) => ({ as, answer }))
  const [status, users] = yield* Effect.all(
    [
      Effect.result(ask("system.status", { as: "nobody" })),
      Effect.forEach(given, current, { concurrency: "unbounded" })
    ],
    { concurrency: "unbounded" }
  )
  if (Result.isFailure(status) && users.every(({ answer }) => Result.isFailure(answer))) {
    return yield* cannotRun(`${baseUrl} cannot be reached: ${status.failure.actual}`)
  }
  const answers = [status, ...users.map(({ answer }) => answer)].filter(Result.isSuccess)
  const elsewhere = answers.find(({ success }) => isElsewhere(success))
  if (elsewhere !== undefined && answers.every(({ success }) => isElsewhere(success))) {
    return yield* cannotRun(
      `At ${baseUrl} is no backend: ${elsewhere.success.request} is answered ${inShort(elsewhere.success)}`
    )
  }
  const ids = new Map<number, Caller>()
  for (const { answer, as } of users) {
    if (Result.isFailure(answer)) continue
    if (answer.success.status === 401) {
      return yield* cannotRun(`The backend does not take the token of the ${as}: it answers 401`)
    }
    const body = yield* Effect.result(fields(answer.success, { id: Schema.Finite }))
    if (Result.isFailure(body)) continue
    const same = ids.get(body.success.id)
    if (same !== undefined) return yield* cannotRun(`The tokens of the ${same} and of the ${as} are of the same user`)
    ids.set(body.success.id, as)
  }
  if (tokens.admin === undefined) return
  const [services, bots] = yield* Effect.all(
    [Effect.option(ask("admin.listOpenAiServices")), Effect.option(ask("adminBots.list"))],
    { concurrency: "unbounded" }
  )
  // One of them may be broken, or not be there.
  if (Option.exists(services, isForbidden) && !Option.exists(bots, isFine)) {
    return yield* cannotRun("The token of the admin is of a user who may not administer: it is answered 403")
  }
})

const isToken = (token: Redacted.Redacted | undefined): token is Redacted.Redacted =>
  token !== undefined && Redacted.value(token) !== ""

/** Takes tokens out of what a backend has said. */
export const masking = (tokens: Target["Service"]["tokens"]): ((text: string) => string) => {
  const secrets = Object.values(tokens).filter(isToken).map(Redacted.value)
  return (text: string): string => secrets.reduce((text, secret) => text.replaceAll(secret, "…"), text)
}

const logged = ({ reason, what }: Leftover) => Effect.logError(`Left on the backend: ${what}: ${reason}`)

/** The backend that checks run against, see {@link verify}. Fails when it is not there, or does not take the tokens. */
export const layer = (options: TargetOptions): Layer.Layer<Target, CannotRun, HttpClient.HttpClient> =>
  Layer.effect(
    Target,
    Effect.gen(function* () {
      const scope = yield* Effect.scope
      const prefix = `conformance-${(yield* Random.nextIntBetween(0, 2 ** 32)).toString(16)}-`
      const {
        botCode,
        canMakeBots = true,
        isDestructive = false,
        onLeftover = logged,
        otherToken,
        token,
        userToken
      } = options
      const tokens = { admin: token, user: userToken ?? token, other: otherToken }
      let names = 0
      const isMet: Readonly<Record<Need, boolean>> = {
        admin: token !== undefined,
        user: tokens.user !== undefined,
        member: userToken !== undefined,
        other: otherToken !== undefined,
        bot: tokens.user !== undefined && (botCode !== undefined || (token !== undefined && canMakeBots)),
        bots: token !== undefined && canMakeBots,
        destruction: isDestructive
      }
      const bot = yield* Effect.cached(
        Effect.suspend(() => (botCode === undefined ? ownBot(fact) : namedBot(botCode))).pipe(
          Effect.provideService(Scope.Scope, scope),
          (make) => Effect.suspend(() => Effect.provideService(make, Target, target))
        )
      )
      const mask = masking(tokens)
      const target: Target["Service"] = {
        baseUrl: options.baseUrl.replace(/\/+$/, ""),
        http: yield* HttpClient.HttpClient,
        tokens,
        lacks: (need) => (isMet[need] ? undefined : gives[need]),
        timeout: Duration.fromInputUnsafe(options.timeout ?? "30 seconds"),
        bot,
        botCode,
        question: options.question ?? question,
        prefix,
        name: (what) => `${prefix}${what}-${++names}`,
        leave: ({ reason, what }) => onLeftover({ what: mask(what), reason: mask(reason) })
      }
      yield* Effect.provideService(probe, Target, target)
      return target
    })
  )
