/**
 * Sends random requests to a backend that runs as a process, and finds what it should not answer: a failure that is not meant, no answer at
 * all, an error that is no problem of the contract, and rows that were written for a request that was refused.
 */
import { contentType, tagOf } from "@effect-chatbot/api/Problem"
import { Problems } from "@effect-chatbot/api/Problems"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import * as Schema from "effect/Schema"
import * as FastCheck from "fast-check"
import { Agent, type IncomingHttpHeaders, request as httpRequest } from "node:http"
import { DatabaseSync } from "node:sqlite"
import * as ServerProcess from "../support/ServerProcess.ts"
import { exchange, open } from "../support/sockets.ts"
import { type FuzzRequest, operations, request, tagsOf } from "./Requests.ts"
import * as World from "./World.ts"

/** How much is tried, and with which random numbers. */
export interface Options {
  readonly requests: number
  readonly seed: number
  /** Tells how far it is. */
  readonly onProgress?: (done: number) => void
}

/** Something that should not be. */
export interface Finding {
  /** Findings that are alike are counted together. */
  readonly what: string
  readonly count: number
  /** The first of them. */
  readonly example: string
}

/** What came of it. */
export interface Outcome {
  readonly findings: ReadonlyArray<Finding>
  /** How many answers there were of each status. */
  readonly statuses: Readonly<Record<string, number>>
  /** How many requests each operation had, and how many of these succeeded; the fewest first. */
  readonly operations: ReadonlyArray<readonly [operation: string, requests: number, successes: number]>
  /** The longest that an answer took, in milliseconds. */
  readonly slowest: number
}

/** An answer; of status 0 if there was none, and of -1 if there was none in time. */
interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** How long an answer may take. */
const patience = 10_000

const nothing = (status: number, text = ""): Answer => ({ status, headers: {}, text })

const send = (baseUrl: string, agent: Agent, { body, headers, method, path }: FuzzRequest): Effect.Effect<Answer> =>
  Effect.callback((resume) => {
    const length = body === undefined ? {} : { "content-length": String(body.length) }
    const outgoing = httpRequest(
      new URL(baseUrl),
      { agent, method, path, headers: { ...Object.fromEntries(headers), ...length }, timeout: patience },
      (response) => {
        const chunks: Array<Buffer> = []
        response.on("data", (chunk: Buffer) => chunks.push(chunk))
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString()
          resume(Effect.succeed({ status: response.statusCode ?? 0, headers: response.headers, text }))
        })
        response.on("error", (error) => resume(Effect.succeed(nothing(0, String(error)))))
      }
    )
    outgoing.on("timeout", () => {
      resume(Effect.succeed(nothing(-1)))
      outgoing.destroy()
    })
    outgoing.on("error", (error) => resume(Effect.succeed(nothing(0, String(error)))))
    outgoing.end(body)
  })

/** Sends bytes as they are, and no more after them. */
const sendWire = (baseUrl: string, bytes: Uint8Array): Effect.Effect<Answer> =>
  Effect.scoped(Effect.flatMap(open(baseUrl), (socket) => exchange(socket, bytes, { end: true }))).pipe(
    Effect.map(({ text }): Answer => {
      const [head = "", ...rest] = text.split("\r\n\r\n")
      const [line = "", ...lines] = head.split("\r\n")
      const headers = Object.fromEntries(
        lines.map((line) => [line.split(":", 1)[0]?.toLowerCase() ?? "", line.slice(line.indexOf(":") + 1).trim()])
      )
      // What comes behind it is the answer to what stood behind the request.
      const body = rest.join("\r\n\r\n").slice(0, Number(headers["content-length"] ?? Infinity))
      return {
        status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(line)?.[1] ?? 0),
        headers,
        text: Buffer.from(body, "latin1").toString()
      }
    }),
    Effect.timeoutOrElse({ duration: patience, orElse: () => Effect.succeed(nothing(-1)) })
  )

const decoders = new Map(
  Object.entries(Problems).map(
    ([tag, problem]) => [tag, Schema.decodeUnknownExit(Schema.fromJsonString(problem))] as const
  )
)

/** The statuses of failures that are meant, by the tags of their problems. */
const meant: Readonly<Record<string, number>> = {
  BotsStopped: 503,
  ProviderFailed: 502,
  ProviderTimedOut: 504,
  Unavailable: 503
}

/** What is wrong with an answer; nothing, if it is right. */
const wrongWith = (sent: FuzzRequest, { headers, status, text }: Answer): string | undefined => {
  if (status === -1) return "no answer in time"
  // What is no HTTP may be cut off.
  if (sent.isWire && (status === 0 || text === "")) return undefined
  if (status === 0) return `no answer: ${text}`
  if (status < 400) return undefined
  if (sent.method === "HEAD") return status >= 500 ? `${status} for HEAD` : undefined
  // The body of an error that is sent in chunks on the wire is not put together here.
  if (sent.isWire && headers["transfer-encoding"] !== undefined) return status >= 500 ? String(status) : undefined
  const where = sent.isRouted ? sent.operation : "anywhere"
  if (headers["content-type"] !== contentType) return `${status} of type ${headers["content-type"]} at ${where}`
  const [, type = ""] = /^\{"type":"([^"]*)"/.exec(text) ?? []
  if (type === "about:blank")
    return (sent.isWire ? [400, 404, 405, 408, 414, 415, 416, 431, 501, 505] : [404, 405, 414, 415, 416]).includes(
      status
    )
      ? undefined
      : `${status} about:blank at ${where}`
  const tag = tagOf(type) ?? ""
  const decode = decoders.get(tag)
  if (decode === undefined) return `${status} of the unknown type ${type} at ${where}`
  const problem = decode(text)
  if (Exit.isFailure(problem)) return `${status} ${tag} that does not decode at ${where}`
  if (!text.includes(`"status":${status},`)) return `${status} ${tag} of another status at ${where}`
  if (sent.isRouted && tagsOf.get(sent.operation)?.has(tag) !== true)
    return `${status} ${tag}, which ${where} does not declare`
  return status >= 500 && meant[tag] !== status ? `${status} ${tag} at ${where}` : undefined
}

const show = (sent: FuzzRequest, answer: Answer): string => {
  const body = sent.body === undefined ? "" : Buffer.from(sent.body).toString("latin1")
  const head = [`${sent.method} ${sent.path}`, ...sent.headers.map(([name, value]) => `${name}: ${value}`)]
  const cut = (text: string) => (text.length > 1200 ? `${text.slice(0, 1200)}… (${text.length})` : text)
  return [
    ...(sent.isWire ? [] : head.map((line) => line.replace(/(?<=Bearer )ecb_\S+/, "…"))),
    cut(JSON.stringify(body)),
    `-> ${answer.status} ${cut(answer.text)}`
  ].join("\n")
}

/** What tells of requests that were refused, too: the actions of admins are written down before they are done. */
const bookkeeping: ReadonlySet<string> = new Set(["audit_log"])

/** Lets the database count the changes of each table, and gives the counts. */
const watch = (database: DatabaseSync) => {
  const tables = database
    .prepare(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'passages_search%' AND name NOT LIKE 'sqlite%'"
    )
    .all()
    .map(({ name }) => String(name))
  database.exec("CREATE TABLE fuzz_changes (name TEXT PRIMARY KEY, total INTEGER NOT NULL)")
  for (const table of tables) {
    database.prepare("INSERT INTO fuzz_changes VALUES (?, 0)").run(table)
    for (const change of ["INSERT", "UPDATE", "DELETE"]) {
      database.exec(`CREATE TRIGGER fuzz_${table}_${change} AFTER ${change} ON ${table} BEGIN
        UPDATE fuzz_changes SET total = total + 1 WHERE name = '${table}';
      END`)
    }
  }
  const counts = database.prepare("SELECT name, total FROM fuzz_changes")
  return (): Readonly<Record<string, unknown>> =>
    Object.fromEntries(counts.all().map(({ name, total }) => [name, total]))
}

/** How many requests are made of one seed, and between two refreshes of what they name. */
const batch = 200

const meetAll = Effect.fnUntraced(function* (options: Options) {
  const fs = yield* FileSystem.FileSystem
  const dataDir = yield* ServerProcess.dataDir
  const env = { CHATBOT_PORT: "0", CHATBOT_DATA_DIR: dataDir, CHATBOT_LOG_LEVEL: "Error" }
  const server = yield* ServerProcess.start(env)
  const baseUrl = yield* server.listening
  const { stdout: token } = yield* ServerProcess.accessToken(env, "create", "fuzz")
  const admin = (yield* fs.readFileString(`${dataDir}/admin-token`)).trim()
  const world = World.make(baseUrl, { admin, user: token.trim() })

  const agent = yield* Effect.acquireRelease(
    Effect.sync(() => new Agent({ keepAlive: true, maxSockets: 16 })),
    (agent) => Effect.sync(() => agent.destroy())
  )
  const database = yield* Effect.acquireRelease(
    Effect.sync(() => new DatabaseSync(`${dataDir}/chatbot.db`)),
    (database) => Effect.sync(() => database.close())
  )
  const changes = watch(database)

  const findings = new Map<string, { count: number; example: string }>()
  const statuses: Record<string, number> = {}
  const counts = new Map(operations.map(({ operation }) => [operation.operationId, { requests: 0, successes: 0 }]))
  let slowest = 0

  const found = (what: string, example: string) => {
    const known = findings.get(what)
    if (known === undefined) findings.set(what, { count: 1, example })
    else known.count++
  }

  const meet = Effect.fnUntraced(function* (template: FuzzRequest) {
    const fillBytes = (bytes: Uint8Array) => Buffer.from(world.fill(Buffer.from(bytes).toString("latin1")), "latin1")
    const sent: FuzzRequest = {
      ...template,
      path: world.fill(template.path),
      headers: template.headers.map(([name, value]) => [name, world.fill(value)] as const),
      body: template.body === undefined ? undefined : fillBytes(template.body)
    }
    const begin = performance.now()
    const answer = yield* sent.isWire && sent.body !== undefined
      ? sendWire(baseUrl, sent.body)
      : send(baseUrl, agent, sent)
    slowest = Math.max(slowest, performance.now() - begin)
    statuses[answer.status] = (statuses[answer.status] ?? 0) + 1
    const count = counts.get(sent.operation)
    if (count !== undefined && sent.isRouted) {
      count.requests++
      if (answer.status < 400) count.successes++
    }
    const wrong = wrongWith(sent, answer)
    if (wrong !== undefined) found(wrong, show(sent, answer))
    return { sent, answer }
  })

  let done = 0
  while (done < options.requests) {
    const size = Math.min(batch, options.requests - done)
    yield* world.refresh
    const requests = FastCheck.sample(request, { numRuns: size, seed: options.seed + done })
    // Most come one after the other, so that it is known which of them wrote; and every tenth batch comes all at once.
    if ((done / batch) % 10 === 9) {
      yield* Effect.forEach(requests, meet, { concurrency: 16, discard: true })
    } else {
      let before = changes()
      for (const template of requests) {
        const { answer, sent } = yield* meet(template)
        const now = changes()
        const written = Object.keys(now).filter((table) => now[table] !== before[table] && !bookkeeping.has(table))
        if (answer.status >= 400 && answer.status < 500 && written.length > 0) {
          const what = sent.isRouted ? sent.operation : "request"
          found(`a refused ${what} wrote to ${written.join(", ")}`, show(sent, answer))
        }
        before = now
      }
    }
    done += size
    options.onProgress?.(done)
  }

  const pragma = (name: string) => JSON.stringify(database.prepare(`PRAGMA ${name}`).all())
  if (pragma("integrity_check") !== '[{"integrity_check":"ok"}]')
    found("the database is broken", pragma("integrity_check"))
  if (pragma("foreign_key_check") !== "[]") found("rows refer to nothing", pragma("foreign_key_check"))
  const { code, stderr } = yield* server.kill("SIGTERM")
  if (code !== 0) found(`the backend ended with ${code}`, stderr.slice(-2000))
  if (stderr !== "") found("the backend logged errors", stderr.slice(0, 4000))

  return {
    findings: Array.from(findings, ([what, { count, example }]) => ({ what, count, example })),
    statuses,
    operations: Array.from(counts, ([name, { requests, successes }]) => [name, requests, successes] as const).toSorted(
      ([, one], [, other]) => one - other
    ),
    slowest
  } satisfies Outcome
})

/** Runs a backend on a database of its own, sends it requests and tells what came of them. */
export const run = (options: Options): Effect.Effect<Outcome, PlatformError> =>
  meetAll(options).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
