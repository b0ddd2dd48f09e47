/* oxlint-disable eslint/no-await-in-loop -- a user does one thing after the other */
/** The users: so many streams that are always open, and so many requests a second beside them. Prints what it saw as JSON. */
import { Agent, request } from "undici"

/** What to do. */
export interface Load {
  readonly baseUrl: string
  readonly token: string
  readonly streams: number
  readonly rate: number
  readonly seconds: number
  readonly words: number
}

/** What was seen. */
export interface Seen {
  readonly requests: number
  readonly completions: number
  /** The streams that were open at the same time, at most and in the middle of all moments that were looked at. */
  readonly mostStreams: number
  readonly medianStreams: number
  /** How long requests took, in milliseconds. */
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly errors: number
  /** The first of them. */
  readonly examples: ReadonlyArray<string>
}

const { baseUrl, rate, seconds, streams, token, words }: Load = JSON.parse(process.argv[2] ?? "")

const forStreams = new Agent({ connections: streams, pipelining: 1, bodyTimeout: 120_000, headersTimeout: 120_000 })
const forRequests = new Agent({ connections: 64, pipelining: 1, bodyTimeout: 120_000, headersTimeout: 120_000 })
const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" }

const examples: Array<string> = []
const latencies: Array<number> = []
const openStreams: Array<number> = []
let errors = 0
let requests = 0
let completions = 0
let open = 0
const over = new AbortController()

const wrong = (what: string) => {
  errors++
  if (examples.length < 10) examples.push(what)
}

/** One request, read to its end. */
const send = async (method: "GET" | "POST" | "PUT" | "DELETE", path: string, body?: object): Promise<string> => {
  const began = performance.now()
  const answer = await request(`${baseUrl}${path}`, {
    method,
    headers,
    dispatcher: forRequests,
    body: body === undefined ? null : JSON.stringify(body)
  })
  const text = await answer.body.text()
  if (answer.statusCode !== 200) throw new Error(`${method} ${path}: ${answer.statusCode} ${text.slice(0, 200)}`)
  latencies.push(performance.now() - began)
  requests++
  return text
}

const makeChat = async (botCode: string): Promise<string> =>
  JSON.parse(await send("POST", "/api/chats/create/bybotcode", { botCode })).chatId

/** Asks, and reads the whole answer; fails unless every event came once, in order, and the answer is complete. */
const ask = async (chatId: string) => {
  const answer = await request(`${baseUrl}/api/chats/${chatId}/completions`, {
    method: "POST",
    headers: { ...headers, accept: "text/event-stream" },
    dispatcher: forStreams,
    body: JSON.stringify({ userMessage: "Say many words." })
  })
  open++
  try {
    let text = ""
    for await (const bytes of answer.body.setEncoding("utf8")) text += bytes
    const ids = [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))
    const said = text.match(/"text":"word/g)?.length ?? 0
    if (answer.statusCode !== 200 || ids.some((id, index) => id !== index + 1) || said !== words) {
      throw new Error(`A stream: ${answer.statusCode}, ${said} of ${words} words, ${ids.length} events`)
    }
    if (!/^event: completed$/m.test(text)) throw new Error(`A stream without its end: ${text.slice(-200)}`)
    completions++
  } finally {
    open--
  }
}

/** A user who asks again and again. They do not all begin at once. */
const user = async (index: number) => {
  await new Promise((done) => setTimeout(done, (index / streams) * Math.min(30_000, seconds * 200)))
  while (!over.signal.aborted) {
    try {
      const chatId = await makeChat("model")
      for (let times = 0; times < 3 && !over.signal.aborted; times++) await ask(chatId)
      await send("DELETE", `/api/chats/${chatId}`)
    } catch (error) {
      wrong(String(error))
      await new Promise((done) => setTimeout(done, 100))
    }
  }
}

const reads = ["/api/bots", "/api/users/current", "/api/users/current/chats", "/api/chats/OpenChatBotId"] as const

let turn = 0
const one = async () => {
  turn++
  if (turn % 10 !== 0) return send("GET", reads[turn % reads.length] ?? reads[0])
  const chatId = await makeChat("client")
  await send("PUT", `/api/chats/${chatId}/displayName`, { displayName: "A name" })
  return send("DELETE", `/api/chats/${chatId}`)
}

const quantile = (values: ReadonlyArray<number>, part: number): number =>
  values.toSorted((one, other) => one - other)[Math.floor(part * (values.length - 1))] ?? 0

const began = performance.now()
const users = Array.from({ length: streams }, (_, index) => user(index))
const pending = new Set<Promise<unknown>>()
// What is due is sent, however long what was sent before takes. One in ten makes three requests.
let due = 0
const timer = setInterval(() => {
  const target = ((performance.now() - began) / 1000) * (rate / 1.2)
  for (; due < target; due++) {
    const sent = one().catch((error) => wrong(String(error)))
    pending.add(sent)
    void sent.finally(() => pending.delete(sent))
  }
}, 10)
const looks = setInterval(() => openStreams.push(open), 250)

await new Promise((done) => setTimeout(done, seconds * 1000))
over.abort()
clearInterval(timer)
clearInterval(looks)
await Promise.all([...users, ...pending])

const seen: Seen = {
  requests,
  completions,
  mostStreams: Math.max(...openStreams),
  medianStreams: quantile(openStreams, 0.5),
  p50: quantile(latencies, 0.5),
  p95: quantile(latencies, 0.95),
  p99: quantile(latencies, 0.99),
  errors,
  examples
}
console.log(JSON.stringify(seen))
await Promise.all([forStreams.close(), forRequests.close()])
