/**
 * A folder of bots, read and checked.
 *
 * Each folder in it is one bot:
 *
 * ```
 * <folder>/<any name>/bot.yaml            who it is, its facts, and for a start bot its links
 * <folder>/<any name>/knowledge/**        its documents: .md and .txt are indexed, all can be downloaded
 * <folder>/<any name>/image.png           its image: png, jpg, jpeg, webp or gif
 * ```
 *
 * `BotsSync` brings it into the database.
 */
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type * as PlatformError from "effect/PlatformError"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { fileURLToPath } from "node:url"
import * as BotYaml from "./internal/BotYaml.ts"
import * as Knowledge from "./Knowledge.ts"

/** The bots that ship with the server: a guide that is open to everyone, and the bots it routes to, about this product. */
export const defaultFolder: string = fileURLToPath(new URL("../bots", import.meta.url))

/** What a folder may hold; more is a mistake. Sizes in bytes. */
export const limits = {
  yamlBytes: 256 * 1024,
  textBytes: 1024 * 1024,
  fileBytes: 16 * 1024 * 1024,
  imageBytes: 1024 * 1024,
  filesPerBot: 1000,
  depth: 8
} as const

/** Something wrong in a bots folder: where, and what to do about it. */
export const Mistake = Schema.Struct({
  /** The file or folder, relative to the bots folder, with `/` between its parts; empty for the bots folder itself. */
  file: Schema.String,
  /** From 1; absent when it is about the file as a whole. */
  line: Schema.optionalKey(Schema.Int),
  /** From 1. */
  column: Schema.optionalKey(Schema.Int),
  message: Schema.String
})

/** Something wrong in a bots folder: where, and what to do about it. */
export interface Mistake extends Schema.Schema.Type<typeof Mistake> {}

/** The bots folder cannot be used. Tells every mistake in it at once; nothing was written to the database. */
export class BotsFolderInvalid extends Schema.TaggedError<BotsFolderInvalid>()("BotsFolderInvalid", {
  folder: Schema.String,
  mistakes: Schema.Array(Mistake)
}) {
  override get message(): string {
    const count = this.mistakes.length
    return [
      `The bots folder "${this.folder}" has ${count === 1 ? "a mistake" : `${count} mistakes`}:`,
      ...this.mistakes.map(
        ({ column, file, line, message }) =>
          `  ${[file === "" ? "." : file, line, column].filter((part) => part !== undefined).join(":")} ${message}`
      )
    ].join("\n")
  }
}

/** The image of a bot. */
export interface Image {
  readonly content: Uint8Array
  /** By its magic bytes, whatever its name. */
  readonly mediaType: "image/png" | "image/jpeg" | "image/webp" | "image/gif"
  /** SHA-256, in lower-case hexadecimal. */
  readonly etag: string
}

/** A file of a bot's knowledge folder. */
export interface Document {
  /** Relative to the knowledge folder, with `/` between its parts. */
  readonly path: string
  /** Its first heading, else its file name. */
  readonly title: string
  readonly mediaType: string
  readonly content: Uint8Array
  /** SHA-256, in lower-case hexadecimal. */
  readonly etag: string
  /** What is indexed; absent for a file that can only be downloaded. */
  readonly text: string | undefined
}

/** A short text a bot knows. */
export interface Fact {
  readonly text: string
  readonly isActive: boolean
}

/** A bot that a start bot routes to. */
export interface Link {
  readonly code: string
  /** A message with one of these words or phrases is for this bot. */
  readonly keywords: ReadonlyArray<string>
  /** Takes what no other link fits. */
  readonly isDefault: boolean
}

/** A bot of the folder. */
export interface Bot {
  readonly code: string
  readonly implementationType: "Facts" | "Start"
  readonly displayName: string
  readonly displayMessage: string | undefined
  readonly description: string | undefined
  readonly sampleQuestions: ReadonlyArray<string>
  readonly baseSystemMessage: string | undefined
  readonly isActive: boolean
  readonly isPublic: boolean
  readonly isOpen: boolean
  readonly isUserSystemMessageSupported: boolean
  readonly modelName: string
  /** The language of its documents. */
  readonly language: string | undefined
  readonly facts: ReadonlyArray<Fact>
  readonly links: ReadonlyArray<Link>
  readonly documents: ReadonlyArray<Document>
  readonly image: Image | undefined
}

/** A bots folder without mistakes. */
export interface BotsFolder {
  readonly folder: string
  readonly bots: ReadonlyArray<Bot>
  /** Changes with anything in the folder that matters. */
  readonly fingerprint: string
}

const imageNames = /^image\.(?:png|jpe?g|webp|gif)$/

const startsWith = (bytes: Uint8Array, offset: number, expected: ReadonlyArray<number>): boolean =>
  expected.every((byte, index) => bytes[offset + index] === byte)

const imageType = (bytes: Uint8Array): Image["mediaType"] | undefined =>
  startsWith(bytes, 0, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
    ? "image/png"
    : startsWith(bytes, 0, [0xff, 0xd8, 0xff])
      ? "image/jpeg"
      : startsWith(bytes, 0, [0x47, 0x49, 0x46, 0x38]) && (bytes[4] === 0x37 || bytes[4] === 0x39) && bytes[5] === 0x61
        ? "image/gif"
        : startsWith(bytes, 0, [0x52, 0x49, 0x46, 0x46]) && startsWith(bytes, 8, [0x57, 0x45, 0x42, 0x50])
          ? "image/webp"
          : undefined

const mediaTypes: Readonly<Record<string, string>> = {
  ".md": "text/markdown; charset=utf-8",
  ".txt": "text/plain; charset=utf-8",
  ".csv": "text/csv",
  ".gif": "image/gif",
  ".html": "text/html",
  ".jpeg": "image/jpeg",
  ".jpg": "image/jpeg",
  ".json": "application/json",
  ".pdf": "application/pdf",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".webp": "image/webp",
  ".xml": "application/xml",
  ".yaml": "application/yaml",
  ".yml": "application/yaml",
  ".zip": "application/zip",
  ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation"
}

const bytesText = (bytes: number): string =>
  bytes >= 1024 * 1024 ? `${bytes / (1024 * 1024)} MiB` : `${bytes / 1024} KiB`

const strictUtf8 = new TextDecoder("utf-8", { fatal: true })

/** The text, or the line of the first byte that is not UTF-8. A line feed is never part of a longer UTF-8 sequence. */
const decodeText = (bytes: Uint8Array): Result.Result<string, number> => {
  try {
    return Result.succeed(strictUtf8.decode(bytes))
  } catch {
    let line = 1
    for (let start = 0; start < bytes.length; line++) {
      const feed = bytes.indexOf(0x0a, start)
      const end = feed === -1 ? bytes.length : feed + 1
      try {
        strictUtf8.decode(bytes.subarray(start, end))
      } catch {
        return Result.fail(line)
      }
      start = end
    }
    return Result.fail(line)
  }
}

/** A bot whose files could be read, with the positions of its fields for what can only be checked across bots. */
interface Draft {
  readonly file: string
  readonly yaml: BotYaml.Parsed
  readonly documents: ReadonlyArray<Document>
  readonly image: Image | undefined
}

/** Reads a bots folder and checks all of it. Fails with every mistake found, and reads nothing outside of the folder. */
export const load = Effect.fn("BotsFolder.load")(function* (
  folder: string
): Effect.fn.Return<BotsFolder, BotsFolderInvalid, FileSystem.FileSystem | Path.Path | Digest.Digest> {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const digest = yield* Digest.Digest
  const mistakes: Array<Mistake> = []
  const mistake = (
    file: string,
    message: string,
    position?: { readonly line: number; readonly column?: number }
  ): void => {
    mistakes.push({ file, message, ...position })
  }
  const unreadable =
    (file: string) =>
    (error: PlatformError.PlatformError): void =>
      mistake(
        file,
        error.reason._tag === "PermissionDenied"
          ? "may not be read: give this user the right to read it"
          : `cannot be read (${error.reason._tag}): check the file and the links in its path`
      )
  const noteUnreadable =
    (file: string) =>
    <A, R>(effect: Effect.Effect<A, PlatformError.PlatformError, R>) =>
      Effect.matchEffect(effect, {
        onFailure: (error) =>
          Effect.sync((): A | undefined => {
            unreadable(file)(error)
            return undefined
          }),
        onSuccess: (value) => Effect.succeed<A | undefined>(value)
      })
  const sha256 = (bytes: Uint8Array) => digest.digestHex(Digest.sha256, bytes)
  const invalid = () =>
    new BotsFolderInvalid({
      folder,
      mistakes: mistakes.toSorted(
        (a, b) =>
          (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) ||
          (a.line ?? 0) - (b.line ?? 0) ||
          (a.column ?? 0) - (b.column ?? 0)
      )
    })

  const root = yield* fs.realPath(folder).pipe(
    Effect.mapError(() => {
      mistake("", "there is no such folder: create it, or name another one in CHATBOT_BOTS_DIR")
      return invalid()
    })
  )

  interface Entry {
    readonly name: string
    readonly kind: "Directory" | "File"
    /** Where it really is. */
    readonly path: string
    readonly size: number
  }
  /** What is in a folder, by name; hidden files are not looked at, and links are followed inside the bots folder only. */
  const list = Effect.fnUntraced(function* (directory: string, file: string) {
    const listed = yield* fs.readDirectoryEntries(directory).pipe(noteUnreadable(file))
    const names = (listed ?? []).map(({ name }) => name).filter((name) => !name.startsWith("."))
    const entries = yield* Effect.forEach(
      names.toSorted(),
      Effect.fnUntraced(function* (name) {
        const relative = file === "" ? name : `${file}/${name}`
        const real = yield* fs.realPath(path.join(directory, name)).pipe(noteUnreadable(relative))
        if (real === undefined) return undefined
        if (real !== root && !real.startsWith(`${root}${path.sep}`)) {
          return mistake(relative, "is a link out of the bots folder: copy what it points at into the folder")
        }
        const info = yield* fs.stat(real).pipe(noteUnreadable(relative))
        if (info === undefined) return undefined
        if (info.type !== "Directory" && info.type !== "File") {
          return mistake(relative, "is neither a file nor a folder: remove it")
        }
        return { name, kind: info.type, path: real, size: Number(info.size) } satisfies Entry
      }),
      { concurrency: 8 }
    )
    return entries.filter((entry) => entry !== undefined)
  })

  const read = Effect.fnUntraced(function* (entry: Entry, file: string, maximum: number) {
    if (entry.size > maximum) {
      mistake(
        file,
        `is too large: ${entry.size} bytes, where ${bytesText(maximum)} are allowed. Split it or make it smaller`
      )
      return undefined
    }
    return yield* fs.readFile(entry.path).pipe(noteUnreadable(file))
  })

  const readText = (bytes: Uint8Array, file: string): string | undefined => {
    const decoded = decodeText(bytes)
    if (Result.isFailure(decoded)) {
      mistake(file, "is not UTF-8 text here: save the file in UTF-8", { line: decoded.failure })
      return undefined
    }
    const zero = decoded.success.indexOf("\0")
    if (zero !== -1) {
      const line = decoded.success.slice(0, zero).split("\n").length
      mistake(file, "has a zero byte, which no text has: save the file as text", { line })
      return undefined
    }
    return decoded.success
  }

  const readDocument = Effect.fnUntraced(function* (entry: Entry, name: string, file: string) {
    const extension = path.extname(name).toLowerCase()
    const indexed = extension === ".md" || extension === ".txt"
    const content = yield* read(entry, file, indexed ? limits.textBytes : limits.fileBytes)
    if (content === undefined) return undefined
    const text = indexed ? readText(content, file) : undefined
    if (indexed && text === undefined) return undefined
    if (text?.trim() === "") {
      mistake(file, "is empty: write something into it, or remove it")
      return undefined
    }
    const baseName = path.basename(name, path.extname(name)).replace(/[-_]+/g, " ").trim()
    const document: Document = {
      path: name,
      title: (text === undefined ? undefined : Knowledge.titleOf(text)) ?? (baseName === "" ? name : baseName),
      mediaType: mediaTypes[extension] ?? "application/octet-stream",
      content,
      etag: yield* sha256(content),
      text
    }
    return document
  })

  const readKnowledge = Effect.fnUntraced(function* (directory: Entry, file: string) {
    const files: Array<{ readonly entry: Entry; readonly name: string }> = []
    const open: Array<{ readonly entry: Entry; readonly name: string; readonly depth: number }> = [
      { entry: directory, name: "", depth: 1 }
    ]
    for (let next = open.shift(); next !== undefined; next = open.shift()) {
      const { depth, entry, name } = next
      const here = name === "" ? file : `${file}/${name}`
      if (depth > limits.depth) {
        mistake(here, `is nested too deeply: at most ${limits.depth} folders, and no link back to a folder above`)
        continue
      }
      for (const child of yield* list(entry.path, here)) {
        const childName = name === "" ? child.name : `${name}/${child.name}`
        if (child.kind === "Directory") open.push({ entry: child, name: childName, depth: depth + 1 })
        else files.push({ entry: child, name: childName })
      }
    }
    if (files.length > limits.filesPerBot) {
      mistake(file, `holds ${files.length} files, where ${limits.filesPerBot} are allowed: split the bot`)
      return []
    }
    const documents = yield* Effect.forEach(
      files,
      ({ entry, name }) => {
        if (!/[\p{Cc}\\]/u.test(name)) return readDocument(entry, name, `${file}/${name}`)
        mistake(`${file}/${name}`, "has a control character or a backslash in its name: rename it")
        return Effect.undefined
      },
      { concurrency: 8 }
    )
    return documents.filter((document) => document !== undefined).toSorted((a, b) => (a.path < b.path ? -1 : 1))
  })

  const readBot = Effect.fnUntraced(function* (directory: Entry) {
    const at = (name: string) => `${directory.name}/${name}`
    let yaml: BotYaml.Parsed | undefined
    let hasYaml = false
    let documents: ReadonlyArray<Document> = []
    const images: Array<Image> = []
    for (const entry of yield* list(directory.path, directory.name)) {
      const file = at(entry.name)
      if (entry.name === "bot.yaml" && entry.kind === "File") {
        hasYaml = true
        const bytes = yield* read(entry, file, limits.yamlBytes)
        const source = bytes === undefined ? undefined : readText(bytes, file)
        if (source === undefined) continue
        const parsed = BotYaml.parse(source)
        if (Result.isSuccess(parsed)) yaml = parsed.success
        else for (const { column, line, message } of parsed.failure) mistake(file, message, { line, column })
      } else if (entry.name === "knowledge" && entry.kind === "Directory") {
        documents = yield* readKnowledge(entry, file)
      } else if (imageNames.test(entry.name) && entry.kind === "File") {
        const content = yield* read(entry, file, limits.imageBytes)
        if (content === undefined) continue
        const mediaType = imageType(content)
        if (mediaType === undefined) mistake(file, "is not a PNG, JPEG, WebP or GIF image: save it as one of these")
        else images.push({ content, mediaType, etag: yield* sha256(content) })
        if (images.length > 1) mistake(file, "is a second image: keep one")
      } else {
        mistake(
          file,
          entry.name === "bot.yml"
            ? "must be named bot.yaml"
            : "does not belong here: a bot has bot.yaml, knowledge/ and image.png (or .jpg, .jpeg, .webp, .gif)"
        )
      }
    }
    if (!hasYaml) mistake(directory.name, "has no bot.yaml: add one, or move the folder elsewhere")
    return yaml === undefined
      ? undefined
      : ({ file: at("bot.yaml"), yaml, documents, image: images[0] } satisfies Draft)
  })

  const entries = yield* list(root, "")
  const folders = entries.filter(({ kind }) => kind === "Directory")
  const drafts = (yield* Effect.forEach(folders, readBot, { concurrency: 4 })).filter((draft) => draft !== undefined)
  if (entries.some(({ kind, name }) => kind === "File" && /^bot\.ya?ml$/.test(name))) {
    mistake("", "is the folder of one bot: name the folder above it, which holds a folder for each bot")
  } else if (folders.length === 0) {
    mistake("", "holds no bots: add a folder with a bot.yaml for each bot")
  }
  checkTogether(drafts, drafts.length === folders.length, mistake)
  if (mistakes.length > 0) return yield* invalid()

  const bots = drafts.map(({ documents, image, yaml: { value } }): Bot => ({
    code: value.code,
    implementationType: value.implementationType,
    displayName: value.displayName,
    displayMessage: value.displayMessage,
    description: value.description,
    sampleQuestions: value.sampleQuestions,
    baseSystemMessage: value.baseSystemMessage,
    isActive: value.isActive,
    isPublic: value.isPublic,
    isOpen: value.isOpen,
    isUserSystemMessageSupported: value.isUserSystemMessageSupported,
    modelName: value.modelName,
    language: value.language,
    facts: value.facts.map((fact) => (typeof fact === "string" ? { text: fact, isActive: true } : fact)),
    links: value.links,
    documents,
    image
  }))
  const outline = bots.map((bot) => ({
    ...bot,
    documents: bot.documents.map(({ etag, mediaType, path, title }) => ({ etag, mediaType, path, title })),
    image: bot.image?.etag
  }))
  return { folder, bots, fingerprint: yield* sha256(new TextEncoder().encode(JSON.stringify(outline))) }
})

/** What can only be said of all bots together; `isComplete` tells that there are no others, whose `bot.yaml` could not be read. */
const checkTogether = (
  drafts: ReadonlyArray<Draft>,
  isComplete: boolean,
  mistake: (file: string, message: string, position?: { readonly line: number; readonly column?: number }) => void
): void => {
  const byCode = new Map<string, Draft>()
  for (const draft of drafts) {
    const { position, value } = draft.yaml
    const other = byCode.get(value.code.toLowerCase())
    if (other === undefined) byCode.set(value.code.toLowerCase(), draft)
    else
      mistake(
        draft.file,
        `the code "${value.code}" is taken by ${other.file}: give one of them another`,
        position(["code"])
      )
  }
  let open: Draft | undefined
  for (const draft of drafts) {
    const {
      file,
      yaml: { position, value }
    } = draft
    if (value.isOpen) {
      if (open === undefined) open = draft
      else
        mistake(
          file,
          `only one bot may be open, and ${open.file} is: remove "isOpen" here or there`,
          position(["isOpen"])
        )
      if (!value.isPublic) mistake(file, `an open bot must be public: add "isPublic: true"`, position(["isOpen"]))
      if (!value.isActive) mistake(file, `an open bot must be active: remove "isActive: false"`, position(["isActive"]))
    }
    const facts = new Map<string, number>()
    for (const [index, fact] of value.facts.entries()) {
      const text = typeof fact === "string" ? fact : fact.text
      const first = facts.get(text)
      if (first === undefined) facts.set(text, index)
      else
        mistake(
          file,
          `the same fact is said in line ${position(["facts", first]).line}: remove one`,
          position(["facts", index])
        )
    }
    if (value.implementationType === "Facts") {
      if (value.links.length > 0) {
        mistake(
          file,
          `only a bot with "implementationType: Start" has links: remove them, or change its type`,
          position(["links"])
        )
      }
      continue
    }
    if (value.links.length === 0) {
      mistake(
        file,
        `a start bot needs links: add "links:" with the codes of the bots it routes to`,
        position(["links"])
      )
      continue
    }
    const linked = new Set<string>()
    const defaults: Array<number> = []
    for (const [index, link] of value.links.entries()) {
      const here = position(["links", index, "code"])
      const target = byCode.get(link.code.toLowerCase())
      if (linked.has(link.code.toLowerCase())) mistake(file, `"${link.code}" is linked twice: join the two links`, here)
      linked.add(link.code.toLowerCase())
      if (target === undefined ? isComplete : target.yaml.value.code !== link.code) {
        const near = target?.yaml.value.code ?? drafts.map((draft) => draft.yaml.value.code).join(", ")
        mistake(file, `there is no bot "${link.code}" in this folder: use one of ${near}`, here)
      } else if (target?.yaml.value.implementationType === "Start") {
        mistake(file, `"${link.code}" is a start bot itself: link the bots that answer`, here)
      } else if (link.isDefault && target?.yaml.value.isActive === false) {
        mistake(file, `the default "${link.code}" is not active: choose an active bot`, here)
      }
      if (link.isDefault) defaults.push(index)
    }
    if (defaults.length === 0) {
      mistake(
        file,
        `no link is the default: add "isDefault: true" to the one that takes what fits no other`,
        position(["links"])
      )
    }
    for (const index of defaults.slice(1)) {
      mistake(
        file,
        `only one link may be the default: remove this "isDefault"`,
        position(["links", index, "isDefault"])
      )
    }
  }
}
