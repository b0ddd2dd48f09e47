/**
 * What the conformance kit found out about a backend, and how it is written down: for people, as JSON, and as JUnit XML for servers that build
 * and test.
 */
import * as Effect from "effect/Effect"
import * as Xml from "effect/encoding/Xml"
import * as Record from "effect/Record"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { groups } from "./internal/conformance/Group.ts"

/** What came of a check. */
export const Outcome = Schema.Union([
  /** The rule is kept. */
  Schema.TaggedStruct("Passed", {}),
  /** The rule is broken. */
  Schema.TaggedStruct("Failed", {
    /** The request, without tokens. */
    request: Schema.optional(Schema.String),
    /** What the rule wants. */
    expected: Schema.String,
    /** What came instead. */
    actual: Schema.String
  }),
  /** The rule could not be looked at, for what that needs beforehand failed. Another check tells why, if the run had it. */
  Schema.TaggedStruct("Blocked", { reason: Schema.String }),
  /** The rule was not looked at. The reason says what to give. */
  Schema.TaggedStruct("Skipped", { reason: Schema.String })
])

/** What came of a check. */
export type Outcome = typeof Outcome.Type

/** A check and what came of it. */
export const Result = Schema.Struct({
  /** The id of the check, as `chats.create/answers-its-id`. */
  check: Schema.String,
  group: Schema.Literals(groups),
  /** The operations it is about, as `POST /api/chats`; the one to blame first. */
  operations: Schema.NonEmptyArray(Schema.String),
  /** The rule, as a sentence. */
  title: Schema.String,
  /** Where the rule stands. */
  source: Schema.String,
  outcome: Outcome,
  /** How long it took, in milliseconds. */
  millis: Schema.Finite
})

/** A check and what came of it. */
export interface Result extends Schema.Schema.Type<typeof Result> {}

/** Something that a run made on the backend and could not remove. */
export const Leftover = Schema.Struct({
  /** What it is and its id, as `chat 0197…`. */
  what: Schema.String,
  reason: Schema.String
})

/** Something that a run made on the backend and could not remove. */
export interface Leftover extends Schema.Schema.Type<typeof Leftover> {}

/** What came of a run. */
export const Report = Schema.Struct({
  /** The URL of the backend. */
  backend: Schema.String,
  /** What the names of all that was made begin with. */
  prefix: Schema.String,
  startedUtc: Schema.DateTimeUtcFromString,
  /** The checks of the run, in their order. */
  results: Schema.Array(Result),
  leftovers: Schema.Array(Leftover)
})

/** What came of a run. */
export interface Report extends Schema.Schema.Type<typeof Report> {}

/** How many checks there are of each outcome. */
export type Counts = { readonly [tag in Outcome["_tag"]]: number }

/** How many checks there are of each outcome. */
export const count = (results: ReadonlyArray<Result>): Counts => {
  const counts = { Passed: 0, Failed: 0, Blocked: 0, Skipped: 0 }
  for (const { outcome } of results) counts[outcome._tag]++
  return counts
}

/** Whether the backend conforms, as far as it was looked at: no check failed or was blocked, and nothing was left; with `strict`, none was skipped either. */
export const isGreen = (report: Report, options: { readonly strict?: boolean | undefined } = {}): boolean => {
  const { Blocked, Failed, Skipped } = count(report.results)
  return Failed + Blocked + report.leftovers.length + (options.strict === true ? Skipped : 0) === 0
}

/** How a text is set off. */
export interface Style {
  readonly strong: (text: string) => string
  readonly faint: (text: string) => string
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
}

const unchanged = (text: string): string => text

/** No marks, for what is no terminal. */
export const plain: Style = { strong: unchanged, faint: unchanged, good: unchanged, bad: unchanged }

// Select graphic rendition (ECMA-48, 8.3.117).
const graphic =
  (begin: number, end: number) =>
  (text: string): string =>
    `\u001b[${begin}m${text}\u001b[${end}m`

/** Marks for a terminal. */
export const coloured: Style = {
  strong: graphic(1, 22),
  faint: graphic(2, 22),
  good: graphic(32, 39),
  bad: graphic(31, 39)
}

const marks = { Passed: "✓", Failed: "✗", Blocked: "!", Skipped: "–" } as const

// A terminal obeys the control characters in what it prints, and a line of a report is one.
const oneLine = (text: string): string => text.replace(/[\s\p{Cc}\u202a-\u202e\u2066-\u2069]+/gu, " ").trim()

const detail = (name: string, text: string, style: Style) => `        ${style.faint(name.padEnd(9))}${oneLine(text)}`

const outcomeLines = ({ check, outcome, source, title }: Result, style: Style): ReadonlyArray<string> => {
  const mark = marks[outcome._tag]
  switch (outcome._tag) {
    case "Passed":
      return [`    ${style.good(mark)} ${title}`]
    case "Skipped":
      return [`    ${style.faint(`${mark} ${title}`)}`, detail("skipped", outcome.reason, style)]
    case "Blocked":
      return [
        `    ${style.bad(mark)} ${title}`,
        detail("blocked", outcome.reason, style),
        detail("check", check, style)
      ]
    case "Failed":
      return [
        `    ${style.bad(mark)} ${style.strong(title)}`,
        ...(outcome.request === undefined ? [] : [detail("request", outcome.request, style)]),
        detail("expected", outcome.expected, style),
        detail("came", outcome.actual, style),
        detail("rule", source, style),
        detail("check", check, style)
      ]
  }
}

/** The first line of a report. */
export const titleLine = (backend: string, options: { readonly style?: Style | undefined } = {}): string =>
  (options.style ?? plain).strong(`Conformance of ${backend}`)

/** The lines of a result, with headings where it begins a group or an operation: `before` is the result before it. */
export const resultLines = (
  result: Result,
  options: { readonly before?: Result | undefined; readonly style?: Style | undefined } = {}
): ReadonlyArray<string> => {
  const { before, style = plain } = options
  const isNewGroup = before?.group !== result.group
  return [
    ...(isNewGroup ? ["", style.strong(result.group)] : []),
    ...(isNewGroup || before?.operations[0] !== result.operations[0] ? ["", `  ${result.operations[0]}`] : []),
    ...outcomeLines(result, style)
  ]
}

const words: ReadonlyArray<readonly [keyof Counts, string]> = [
  ["Passed", "passed"],
  ["Failed", "failed"],
  ["Blocked", "blocked"],
  ["Skipped", "skipped"]
]

const inWords = (counts: Counts): string =>
  words
    .filter(([tag]) => tag === "Passed" || counts[tag] > 0)
    .map(([tag, word]) => `${counts[tag]} ${word}`)
    .join(", ")

/** The line of something that was left. */
export const leftoverLine = ({ reason, what }: Leftover): string => oneLine(`${what}: ${reason}`)

/** The end of a report: the checks that are not passed once more by their ids, what was left, the sums of the groups, and that of all. */
export const summaryLines = (
  report: Report,
  options: { readonly style?: Style | undefined } = {}
): ReadonlyArray<string> => {
  const { style = plain } = options
  const { leftovers, results } = report
  const section = (title: string, lines: ReadonlyArray<string>) =>
    lines.length === 0 ? [] : ["", style.bad(title), ...lines.map((line) => `    ${line}`)]
  const broken = results.flatMap(({ check, operations: [operation], outcome: { _tag } }) =>
    _tag === "Failed" || _tag === "Blocked" ? [`${style.bad(marks[_tag])} ${check}  ${style.faint(operation)}`] : []
  )
  return [
    ...section("to mend", broken),
    ...section("left on the backend", leftovers.map(leftoverLine)),
    "",
    ...groups.flatMap((group) => {
      const own = results.filter((result) => result.group === group)
      return own.length === 0 ? [] : [`${group.padEnd(16)}${inWords(count(own))}`]
    }),
    style.strong(`${"all".padEnd(16)}${inWords(count(results))}`)
  ]
}

/** The report for people: group by group, operation by operation. */
export const text = (report: Report, options: { readonly style?: Style | undefined } = {}): string =>
  [
    titleLine(report.backend, options),
    ...report.results.flatMap((result, i) => resultLines(result, { ...options, before: report.results[i - 1] })),
    ...summaryLines(report, options),
    ""
  ].join("\n")

const encode = Schema.encodeSync(Report)

/** The report as JSON, of the schema {@link Report}. */
export const json = (report: Report): string => `${JSON.stringify(encode(report), undefined, 2)}\n`

const inSeconds = (results: ReadonlyArray<Result>): string =>
  (results.reduce((sum, { millis }) => sum + millis, 0) / 1000).toFixed(3)

// Not every character may stand in XML 1.0, not even escaped.
const forXml = (text: string): string =>
  text.replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd")

type Attributes = { readonly [name: string]: string | number }

const element = (name: string, attributes: Attributes, ...children: ReadonlyArray<ReadonlyArray<Xml.Event>>) => [
  {
    _tag: "StartElement",
    name,
    attributes: Record.map(attributes, (value) => forXml(String(value)))
  } satisfies Xml.Event,
  ...children.flat(),
  { _tag: "EndElement", name } satisfies Xml.Event
]

const outcomeElements = (outcome: Outcome): ReadonlyArray<Xml.Event> => {
  switch (outcome._tag) {
    case "Passed":
      return []
    case "Skipped":
      return element("skipped", { message: outcome.reason })
    case "Blocked":
      return element("error", { type: "Blocked", message: outcome.reason })
    case "Failed": {
      const { actual, expected, request } = outcome
      const lines = [...(request === undefined ? [] : [request]), `expected ${expected}`, `came ${actual}`]
      const message = `expected ${expected}, came ${actual}`
      return element("failure", { type: "Violation", message }, [{ _tag: "Text", text: forXml(lines.join("\n")) }])
    }
  }
}

const suite = (name: string, results: ReadonlyArray<Result>) => {
  const { Blocked, Failed, Skipped } = count(results)
  return element(
    "testsuite",
    { name, tests: results.length, failures: Failed, errors: Blocked, skipped: Skipped, time: inSeconds(results) },
    ...results.map((result) => {
      const { check, operations, outcome, title } = result
      const attributes = { classname: operations[0], name: `${title} (${check})`, time: inSeconds([result]) }
      return element("testcase", attributes, outcomeElements(outcome))
    })
  )
}

/** What was left is an error of a suite of its own. */
const leftoverSuite = (leftovers: ReadonlyArray<Leftover>) =>
  element(
    "testsuite",
    { name: "leftovers", tests: leftovers.length, failures: 0, errors: leftovers.length, skipped: 0, time: "0.000" },
    ...leftovers.map(({ reason, what }) =>
      element("testcase", { classname: "leftovers", name: what, time: "0.000" }, [
        ...element("error", { type: "Leftover", message: reason })
      ])
    )
  )

/** The report as JUnit XML, as servers that build and test read it: a suite a group, with blocked checks and what was left as errors. */
export const junit = ({ leftovers, results }: Report): Effect.Effect<string> => {
  const { Blocked, Failed, Skipped } = count(results)
  const own = groups.map((group) => [group, results.filter((result) => result.group === group)] as const)
  const events: ReadonlyArray<Xml.Event> = [
    { _tag: "Declaration", version: "1.0", encoding: "UTF-8" },
    ...element(
      "testsuites",
      {
        name: "conformance",
        tests: results.length + leftovers.length,
        failures: Failed,
        errors: Blocked + leftovers.length,
        skipped: Skipped,
        time: inSeconds(results)
      },
      ...own.flatMap(([group, results]) => (results.length === 0 ? [] : [suite(group, results)])),
      ...(leftovers.length === 0 ? [] : [leftoverSuite(leftovers)])
    )
  ]
  return Stream.fromIterable(events).pipe(
    Stream.pipeThroughChannel(Xml.encodeString()),
    Stream.mkString,
    // Names are ours, and all characters allowed.
    Effect.orDie
  )
}
