/**
 * `bot.yaml`: what may be in it, and how a mistake in it is told with its line.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as BotCode from "../BotCode.ts"
import * as TextLimits from "../TextLimits.ts"
import { type Document, isMap, isNode, isScalar, LineCounter, type Node, parseDocument, visit } from "yaml"

/** Something wrong in a file, counted from 1. */
export interface YamlMistake {
  readonly line: number
  readonly column: number
  readonly message: string
}

const plain = Schema.makeFilter((text: string) => TextLimits.isPlain(text) || TextLimits.plainMessage)
const text = (maximum: number) => Schema.String.check(Schema.isPattern(/\S/), Schema.isMaxLength(maximum), plain)
const code = Schema.String.check(Schema.isPattern(BotCode.pattern))
const omittedIs = <S extends Schema.Top>(schema: S, value: S["Type"]) =>
  schema.pipe(Schema.withDecodingDefaultTypeKey(Effect.succeed(value)))

const Fact = Schema.Union([text(4000), Schema.Struct({ text: text(4000), isActive: omittedIs(Schema.Boolean, true) })])

const Link = Schema.Struct({
  code,
  keywords: omittedIs(Schema.Array(text(100).check(Schema.isPattern(/^[^,]*$/))).check(Schema.isMaxLength(100)), []),
  isDefault: omittedIs(Schema.Boolean, false)
})

/** The fields of `bot.yaml`. */
export const BotYaml = Schema.Struct({
  code,
  implementationType: Schema.Literals(["Facts", "Start"]),
  displayName: text(100),
  displayMessage: Schema.optionalKey(text(2000)),
  description: Schema.optionalKey(text(2000)),
  sampleQuestions: omittedIs(Schema.Array(text(500)).check(Schema.isMaxLength(2)), []),
  baseSystemMessage: Schema.optionalKey(text(20_000)),
  isActive: omittedIs(Schema.Boolean, true),
  isPublic: omittedIs(Schema.Boolean, false),
  isOpen: omittedIs(Schema.Boolean, false),
  isUserSystemMessageSupported: omittedIs(Schema.Boolean, false),
  modelName: omittedIs(text(200), "embedded"),
  language: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$/))),
  facts: omittedIs(Schema.Array(Fact), []),
  links: omittedIs(Schema.Array(Link), [])
})

/** The fields of `bot.yaml`. */
export interface BotYaml extends Schema.Schema.Type<typeof BotYaml> {}

const flag = "true or false"

/** What each field must be, by its path with `*` for any index. */
const guide: Readonly<Record<string, string>> = {
  "": "a list of fields, one a line, such as `code: help`",
  code: "the short name of the bot: letters, digits, dashes, dots and underscores, at most 64, such as `code: help`",
  implementationType: "`Facts` (answers from its facts and knowledge) or `Start` (routes to the bots it links to)",
  displayName: "the name people see: text of 1 to 100 characters",
  displayMessage: "the greeting of a new chat: text of 1 to 2000 characters (leave the field out for none)",
  description: "text of 1 to 2000 characters (leave the field out for none)",
  sampleQuestions: "a list of at most 2 questions",
  "sampleQuestions.*": "a question: text of 1 to 500 characters",
  baseSystemMessage:
    "the standing instruction of the bot: text of 1 to 20000 characters (leave the field out for none)",
  isActive: flag,
  isPublic: flag,
  isOpen: flag,
  isUserSystemMessageSupported: flag,
  modelName: "the name of a model: text of 1 to 200 characters, such as `embedded`",
  language: "a language tag, such as `en` or `de-CH`",
  facts: "a list of facts",
  "facts.*": "a fact: text of 1 to 4000 characters, or `text:` and `isActive:`",
  "facts.*.text": "the fact: text of 1 to 4000 characters",
  "facts.*.isActive": flag,
  links: "a list of links, each with `code:`, `keywords:` and `isDefault:`",
  "links.*": "a link with `code:`, `keywords:` and `isDefault:`",
  "links.*.code": "the code of a bot of this folder",
  "links.*.keywords": "a list of at most 100 words or phrases",
  "links.*.keywords.*": "a word or phrase of 1 to 100 characters without commas",
  "links.*.isDefault": flag
}

const fieldsOf = (parent: string): ReadonlyArray<string> => {
  const prefix = parent === "" ? "" : `${parent}.`
  return Object.keys(guide)
    .filter((key) => key !== "" && key.startsWith(prefix))
    .map((key) => key.slice(prefix.length))
    .filter((key) => key !== "*" && !key.includes("."))
}

const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(
        Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1))
      )
    }
    row = next
  }
  return row[b.length] ?? 0
}

const nearest = (name: string, known: ReadonlyArray<string>): string | undefined => {
  const simple = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, "")
  const wanted = simple(name.slice(0, 40))
  return known.find((field) => distance(wanted, simple(field)) <= 2)
}

/** The fields of one `bot.yaml`, and where each of them stands. */
export interface Parsed {
  readonly value: BotYaml
  /** The position of what a path names, or of the nearest thing around it. */
  readonly position: (path: ReadonlyArray<PropertyKey>) => { readonly line: number; readonly column: number }
}

const offsetOf = (document: Document.Parsed, path: ReadonlyArray<PropertyKey>, ofKey: boolean): number => {
  let node: Node | null = document.contents
  let offset = node?.range?.[0] ?? 0
  for (const [index, step] of path.entries()) {
    if (isMap(node)) {
      const pair: (typeof node.items)[number] | undefined = node.items.find(
        (item) => (isScalar(item.key) ? String(item.key.value) : String(item.key)) === String(step)
      )
      if (pair === undefined) return offset
      if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset
      node = isNode(pair.value) ? pair.value : null
      if (index === path.length - 1 && ofKey) return offset
      // A value on its key's line is pointed at itself; a block below it by its key.
      if (isScalar(node)) offset = node.range?.[0] ?? offset
    } else if (node !== null && "items" in node && Array.isArray(node.items)) {
      const item: unknown = node.items[Number(step)]
      node = isNode(item) ? item : null
      offset = node?.range?.[0] ?? offset
    } else {
      return offset
    }
  }
  return offset
}

const decode = Schema.decodeUnknownResult(BotYaml, { errors: "all", onExcessProperty: "error" })
const kinds = SchemaIssue.makeFormatterStandardSchemaV1({
  leafHook: (issue) => issue._tag,
  checkHook: () => "InvalidValue"
})

/** Parses one `bot.yaml`; fails with every mistake in it. */
export const parse = (source: string): Result.Result<Parsed, ReadonlyArray<YamlMistake>> => {
  const lineCounter = new LineCounter()
  const at = (offset: number): { readonly line: number; readonly column: number } => {
    const { col, line } = lineCounter.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  let document: Document.Parsed
  let content: unknown
  const aliases: Array<YamlMistake> = []
  try {
    document = parseDocument(source, { lineCounter, prettyErrors: false, logLevel: "silent" })
    // One broken place makes YAML report many more behind it; keys that are there twice stand each for itself.
    const errors = [...document.errors, ...document.warnings]
    if (errors.some((error) => error.message.includes("call stack"))) throw new RangeError()
    const first = errors.find((error) => error.code !== "DUPLICATE_KEY")
    const broken: Array<YamlMistake> = []
    for (const error of errors) {
      const isTwice = error.code === "DUPLICATE_KEY"
      if (error !== first && !isTwice) continue
      const message = isTwice
        ? "this field is there twice: keep one"
        : `not valid YAML: ${error.message.replace(/\.?$/, "")}. Check the indentation and quotes of this line`
      broken.push({ ...at(error.pos[0]), message })
    }
    if (broken.length > 0) return Result.fail(broken)
    visit(document, {
      Alias: (_, node) => {
        aliases.push({
          ...at(node.range?.[0] ?? 0),
          message: `the alias "*${node.source}" is not supported: write the value here`
        })
      }
    })
    if (aliases.length > 0) return Result.fail(aliases)
    content = document.toJS()
  } catch (cause) {
    return Result.fail([
      {
        line: 1,
        column: 1,
        message: `cannot be read as YAML: ${cause instanceof RangeError ? "it is nested too deeply" : String(cause)}`
      }
    ])
  }
  const decoded = decode(content)
  if (Result.isSuccess(decoded)) {
    return Result.succeed({ value: decoded.success, position: (path) => at(offsetOf(document, path, false)) })
  }
  const seen = new Set<string>()
  const mistakes: Array<YamlMistake> = []
  for (const { message: kind, path: steps } of kinds(decoded.failure.issue).issues) {
    const path = (steps ?? []).map((step) => (typeof step === "object" ? step.key : step))
    const name = path.map(String).join(".")
    if (seen.has(name)) continue
    seen.add(name)
    const generic = path.map((step) => (typeof step === "number" ? "*" : String(step)))
    const last = path.at(-1)
    const parent = generic.slice(0, -1).join(".")
    switch (kind) {
      case "UnexpectedKey": {
        const known = fieldsOf(parent)
        const near = nearest(String(last ?? ""), known)
        mistakes.push({
          ...at(offsetOf(document, path, true)),
          message:
            `unknown field "${String(last ?? "")}": ` +
            (near === undefined ? `remove it, or use one of ${known.join(", ")}` : `did you mean "${near}"?`)
        })
        break
      }
      case "MissingKey":
        mistakes.push({
          ...at(offsetOf(document, path.slice(0, -1), false)),
          message: `the field "${String(last ?? "")}" is missing: add ${guide[generic.join(".")] ?? "it"}`
        })
        break
      default:
        mistakes.push({
          ...at(offsetOf(document, path, false)),
          message: `${name === "" ? "the file" : `"${name}"`} must be ${guide[generic.join(".")] ?? "something else"}`
        })
    }
  }
  return Result.fail(mistakes.toSorted((a, b) => a.line - b.line || a.column - b.column))
}
