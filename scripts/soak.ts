/**
 * `pnpm soak`: keeps a backend busy for a time, and looks at what it leaves behind: errors, memory, descriptors. Backend, model and users are
 * processes of their own.
 *
 * `pnpm soak [--minutes 10] [--streams 500] [--rate 200] [--words 30] [--pause 1000] [--json]`: of so many minutes, streams, requests a
 * second, and words of an answer with so many milliseconds between them. Ends with 1 when there was an error, or when something grew.
 */
import { execFile, spawn } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { cpus, tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { parseArgs } from "node:util"
import type { Load, Seen } from "./soak/load.ts"

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    streams: { type: "string", default: "500" },
    rate: { type: "string", default: "200" },
    words: { type: "string", default: "30" },
    pause: { type: "string", default: "1000" },
    json: { type: "boolean", default: false }
  }
})
const seconds = Number(values.minutes) * 60
const [streams, rate, words, pause] = [
  Number(values.streams),
  Number(values.rate),
  Number(values.words),
  Number(values.pause)
]
if (![seconds, streams, rate, words, pause].every((value) => value > 0)) {
  console.error("soak: every option must be a number above 0")
  process.exit(2)
}

const token = "the-token-of-the-soak"
const children: Array<ReturnType<typeof spawn>> = []
const dataDir = mkdtempSync(join(tmpdir(), "chatbot-soak-"))

process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL")
  rmSync(dataDir, { recursive: true, force: true })
})
process.on("SIGINT", () => process.exit(130))

/** Starts a process, and waits for the line that says where it is. */
const start = (file: string, args: ReadonlyArray<string>, env: Record<string, string> = {}) => {
  const child = spawn(process.execPath, [resolve(import.meta.dirname, file), ...args], { env })
  children.push(child)
  let output = ""
  let log = ""
  const ended = new Promise<number | null>((done) => child.once("close", done))
  const url = new Promise<string>((done, fail) => {
    child.stdout.on("data", (text) => {
      output += text
      const [found] = /http:\/\/[\d.:]+/.exec(output) ?? []
      if (found !== undefined) done(found)
    })
    child.stderr.on("data", (text) => {
      log = (log + text).slice(-10_000)
    })
    void ended.then((code) => fail(new Error(`${file} ended with ${code}: ${log}`)))
  })
  return { child, ended, log: () => log, url }
}

interface Sample {
  readonly second: number
  readonly rss: number
  readonly heap: number
  readonly descriptors: number
}

const mebibyte = 2 ** 20

const descriptorsOf = (pid: number) => {
  try {
    return readdirSync(`/proc/${pid}/fd`).length
  } catch {
    return 0
  }
}

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0

/** The slope of a line through most of the points, whatever the others are (Theil and Sen). */
const slope = (points: ReadonlyArray<readonly [number, number]>): number =>
  median(
    points.flatMap(([x, y], index) =>
      points.slice(index + 1).flatMap(([otherX, otherY]) => (otherX === x ? [] : [(otherY - y) / (otherX - x)]))
    )
  )

/** What grew by how much from the end of the warm-up to the end, by its slope, and as a part of what there was. */
const growth = (samples: ReadonlyArray<Sample>, key: "rss" | "heap" | "descriptors") => {
  const points = samples.map((sample) => [sample.second, sample[key]] as const)
  const span = (points.at(-1)?.[0] ?? 0) - (points[0]?.[0] ?? 0)
  const middle = median(samples.map((sample) => sample[key]))
  const grown = slope(points) * span
  return { median: middle, grown, part: middle === 0 ? 0 : grown / middle }
}

const provider = start("soak/provider.ts", [values.pause, values.words])
const server = start("../packages/server/src/main.ts", [], {
  CHATBOT_PORT: "0",
  CHATBOT_DATA_DIR: dataDir,
  CHATBOT_ADMIN_TOKEN: token,
  CHATBOT_LOG_LEVEL: "Info",
  CHATBOT_METRICS_PORT: "0"
})
const [providerUrl, baseUrl] = await Promise.all([provider.url, server.url])
const metricsUrl = /http:\/\/[\d.:]+\/metrics/.exec(server.log())?.[0] ?? ""

const post = async (path: string, body: object) => {
  const answer = await fetch(`${baseUrl}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(body)
  })
  if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`)
  return answer.json()
}

const openAiServiceId = await post("/api/admin/openAiServices", {
  displayName: "Slow",
  isActive: true,
  azureOpenAiEndpoint: providerUrl
})
await post("/api/admin/bots", {
  code: "model",
  displayNameTv: { value: "Model" },
  isActive: true,
  isPublic: true,
  implementationType: "Facts",
  openAiServiceId,
  modelName: "slow"
})

const samples: Array<Sample> = []
const began = performance.now()
const cpuOf = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ")
  return (Number(fields[11]) + Number(fields[12])) / 100
}
const pid = server.child.pid ?? 0
const sampling = setInterval(
  async () => {
    const text = await fetch(metricsUrl).then((answer) => answer.text())
    const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1] ?? 0)
    samples.push({
      second: (performance.now() - began) / 1000,
      rss: value("process_memory_usage_bytes") / mebibyte,
      heap: value("v8js_memory_heap_used_bytes") / mebibyte,
      descriptors: descriptorsOf(pid)
    })
  },
  Math.max(250, seconds * 4)
)

const before = descriptorsOf(pid)
const load: Load = { baseUrl, token, streams, rate, seconds, words }
const seen = await new Promise<Seen>((done, fail) =>
  children.push(
    execFile(
      process.execPath,
      [resolve(import.meta.dirname, "soak/load.ts"), JSON.stringify(load)],
      { maxBuffer: 2 ** 24 },
      (error, stdout) => (error === null ? done(JSON.parse(stdout)) : fail(error))
    )
  )
)
clearInterval(sampling)
// Connections that are kept for the next request are closed after a while.
let left = descriptorsOf(pid) - before
for (let tries = 0; tries < 60 && left > 10; tries++) {
  // oxlint-disable-next-line eslint/no-await-in-loop -- it is waited for
  await new Promise((done) => setTimeout(done, 500))
  left = descriptorsOf(pid) - before
}
const took = (performance.now() - began) / 1000
const cpu = cpuOf(pid) / took
server.child.kill("SIGTERM")
const code = await server.ended

// All streams are open by then, and what is cached is there.
const settled = samples.filter(({ second }) => second > Math.min(seconds * 0.3, 120) && second < seconds)
const memory = growth(settled, "rss")
const heap = growth(settled, "heap")
const descriptors = growth(settled, "descriptors")
// Garbage comes and goes: of a short time nothing can be said.
const isLong = seconds >= 300

const rows = [
  ["errors", String(seen.errors), seen.errors === 0],
  ["requests a second", (seen.requests / seconds).toFixed(0), seen.requests / seconds >= rate * 0.9],
  ["open streams, median and most", `${seen.medianStreams}, ${seen.mostStreams}`, seen.medianStreams >= streams * 0.9],
  ["completions", String(seen.completions), seen.completions > 0],
  ["latency p50, p95, p99", [seen.p50, seen.p95, seen.p99].map((ms) => `${ms.toFixed(0)} ms`).join(", "), true],
  ["CPU of the backend", `${(cpu * 100).toFixed(0)} % of one of ${cpus().length}`, true],
  ["memory", `${memory.median.toFixed(0)} MiB, grew ${memory.grown.toFixed(1)}`, !isLong || memory.part < 0.1],
  ["heap", `${heap.median.toFixed(0)} MiB, grew ${heap.grown.toFixed(1)}`, !isLong || heap.part < 0.1],
  ["descriptors", `${descriptors.median}, ${left} of them left`, left <= 10],
  ["exit code of the backend", String(code), code === 0]
] as const

const isRight = rows.every(([, , right]) => right)
if (values.json) {
  console.log(JSON.stringify({ ...seen, seconds: took, cpu, memory, heap, descriptors, left, code, isRight }))
} else {
  console.log(`${seconds} s with ${streams} open streams and ${rate} requests a second`)
  for (const [name, value, right] of rows)
    console.log(`${name.padEnd(30)} ${value.padEnd(28)} ${right ? "ok" : "WRONG"}`)
  for (const example of seen.examples) console.log(`  ${example}`)
}
process.exit(isRight ? 0 : 1)
