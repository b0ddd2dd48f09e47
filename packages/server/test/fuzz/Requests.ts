/**
 * Requests for every operation of the document of the contract: right ones, and ones with a mistake somewhere. A text such as `§user.chat§`
 * stands for something that is only known when the request is sent, see `World`.
 */
import { document } from "@effect-chatbot/api/Document"
import * as FastCheck from "fast-check"

/** A request to send. */
export interface FuzzRequest {
  /** The `operationId` it was made for. */
  readonly operation: string
  /** Whether method and path are those of the operation. */
  readonly isRouted: boolean
  readonly method: string
  readonly path: string
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
  readonly body: Uint8Array | undefined
  /** Whether it goes over a connection of its own, byte for byte, because no client of HTTP would send it. */
  readonly isWire: boolean
}

type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [key: string]: Json }

interface Schema {
  readonly $ref?: string
  readonly anyOf?: ReadonlyArray<Schema>
  readonly type?: string
  readonly format?: string
  readonly enum?: ReadonlyArray<Json>
  readonly properties?: { readonly [name: string]: Schema }
  readonly required?: ReadonlyArray<string>
  readonly items?: Schema
}

interface Parameter {
  readonly name: string
  readonly in: string
  readonly schema: Schema
}

/** What of an operation of the document matters here. */
interface Operation {
  readonly operationId: string
  readonly parameters: ReadonlyArray<Parameter>
  readonly requestBody?: { readonly content: { readonly "application/json"?: { readonly schema: Schema } } }
  readonly responses: { readonly [status: string]: unknown }
  readonly "x-access": "Anyone" | "User" | "Admin"
}

// The types of the document know less of it than it says.
const paths: { readonly [path: string]: { readonly [method: string]: Operation } } = JSON.parse(
  JSON.stringify(document.paths)
)
const schemas: { readonly [name: string]: Schema } = JSON.parse(JSON.stringify(document.components.schemas))

/** The operations of the document. */
export const operations = Object.entries(paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation }))
)

/** What every endpoint may answer beside what the document says of it. */
const everywhere = [
  "Unauthorized",
  "RateLimited",
  "InternalError",
  "Unavailable",
  "UnsupportedMediaType",
  "PayloadTooLarge"
]

/** The tags of the problems that an operation may answer. */
export const tagsOf: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  operations.map(({ operation }) => {
    const tags = Array.from(
      JSON.stringify(operation.responses).matchAll(/schemas\/(\w+)Problem"/g),
      ([, tag]) => tag ?? ""
    )
    const forbidden = operation["x-access"] === "Admin" ? ["Forbidden"] : []
    return [operation.operationId, new Set([...tags, ...forbidden, ...everywhere])]
  })
)

const oneOf = FastCheck.constantFrom

/** Everything that may go wrong with a text. */
const nastyText = FastCheck.oneof(
  oneOf(
    "",
    " ",
    "\n\t ",
    "\u0000",
    "a\u0000b",
    "\ud800",
    "\udfff\ud800",
    "\ufeff",
    "\u202e\u0301\u200b",
    "🦓🤖",
    "Ⅷ ﬃ İ ß ſ",
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
    "null",
    "undefined",
    "true",
    "NaN",
    "-1",
    "1e309",
    "9223372036854775808",
    "0x10",
    "2026-02-30",
    "2026-01-01T25:61:61Z",
    "0000-00-00",
    "+275760-09-13T00:00:00.001Z",
    "' OR '1'='1",
    "'; DROP TABLE chats; --",
    "%' ESCAPE '\\",
    '* OR "a" NEAR b',
    "${7*7}{{7*7}}",
    "<script>alert(1)</script>",
    "../../../../etc/passwd",
    "%00%2e%2e%2f",
    "displayName desc, id",
    "displayName; DROP TABLE bots",
    "a,b\r\nc",
    "\r\nx-injected: 1\r\n"
  ),
  FastCheck.array(FastCheck.nat({ max: 0x10ffff }), { maxLength: 40 }).map((points) => String.fromCodePoint(...points)),
  FastCheck.string({ unit: "grapheme", maxLength: 20 }),
  oneOf("x".repeat(300), "x".repeat(5_000), "é".repeat(70_000), "a b ".repeat(10_000))
)

const deep = (levels: number): Json => {
  let value: Json = 1
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { a: value }
  return value
}

const nastyValue: FastCheck.Arbitrary<Json> = FastCheck.oneof(
  nastyText,
  oneOf<Array<Json>>(
    null,
    true,
    0,
    -0,
    -1,
    1.5,
    2 ** 31,
    -(2 ** 31) - 1,
    2 ** 53,
    1e308,
    5e-324,
    [],
    {},
    [null],
    [[]],
    { value: 1 },
    { value: "x", valueDe: null },
    { constructor: { prototype: { admin: true } } },
    deep(50),
    deep(2_000),
    Array.from({ length: 1_000 }, (_, index) => index)
  )
)

const logins = oneOf("ann", "ann, bob", "ann\nbob", "", "§user.login§")

/** What a field or a parameter of this name means. */
const meant: Readonly<Record<string, FastCheck.Arbitrary<string>>> = {
  adminLogins: logins,
  azureOpenAiApiKey: oneOf("key-canary"),
  // Nothing listens on the port for discarding (RFC 863) of this machine.
  azureOpenAiEndpoint: oneOf("http://127.0.0.1:9", "http://127.0.0.1:9/v1"),
  blobClientConnectionString: oneOf(
    "AccountName=blobs;AccountKey=key-canary",
    "https://blobs.example.org/a?sig=key-canary"
  ),
  botCode: oneOf("§user.botCode§", "§admin.botCode§", "client", "guide", "nothing"),
  BotId: oneOf("§user.bot§", "§missing§"),
  botFactId: oneOf("§admin.botFact§", "§admin.botFact§", "§missing§"),
  code: oneOf("§new§", "§new§", "client", "§user.botCode§"),
  completionId: oneOf("§user.completion§", "§user.completion§", "§admin.completion§", "§missing§"),
  contributorLogins: logins,
  feedbackId: oneOf("§user.feedback§", "§user.feedback§", "§missing§"),
  FromRequestDate: oneOf("2026-01-01", "1970-01-01"),
  implementationType: oneOf("Facts", "Start", "Facts", "AzureOpenAISearch"),
  keepfavorites: oneOf("true", "false", "True", "FALSE"),
  isStopAllBots: oneOf("false", "false", "False", "true"),
  messageId: oneOf("§user.message§"),
  openAiServiceId: oneOf("§admin.service§", "§admin.service§", "§missing§"),
  OrderBy: oneOf(
    "displayName",
    "displayName desc",
    "createdUtc asc",
    "botId",
    "chatId DESC",
    "factText",
    "lastAccessedUtc"
  ),
  PageNumber: oneOf("1", "2", "1000000", "2147483647"),
  PageSize: oneOf("1", "20", "100"),
  path: oneOf("§user.path§", "§user.path§", "client/nothing.md", "client/%2e%2e/bot.yaml"),
  SearchFor: oneOf("a", "client", "Ö", "%", "_"),
  searchClientEndpoint: oneOf("https://search.example.org"),
  searchClientCredential: oneOf("key-canary"),
  startBotId: oneOf("§admin.startBot§", "§admin.startBot§", "§admin.bot§", "§missing§"),
  status: oneOf("0", "1", "2"),
  ticket: oneOf("§user.ticket§", "§user.ticket§", "nothing"),
  ToRequestDate: oneOf("2026-12-31", "9999-12-31"),
  userLogins: logins,
  userMessage: oneOf("How do I page through a list?", "What is a ticket?", "Hello", "🦓?", "What is in the chat?"),
  userSystemMessageId: oneOf("§user.message§", "§user.message§", "§admin.message§", "§missing§")
}
for (const [name, other] of [
  ["botid", "botId"],
  ["chatid", "chatId"],
  ["completionid", "completionId"],
  ["systemmessageid", "userSystemMessageId"],
  ["usersystempromptid", "userSystemMessageId"]
] as const) {
  Object.defineProperty(meant, name, { get: () => meant[other], enumerable: true })
}

/** The ids of things that anybody, a user or an admin has; who calls mostly asks for what is theirs. */
const owned = (kind: string, isForAdmins: boolean) =>
  isForAdmins
    ? oneOf(`§admin.${kind}§`, `§admin.${kind}§`, `§admin.${kind}§`, "§missing§")
    : oneOf(`§user.${kind}§`, `§user.${kind}§`, `§user.${kind}§`, `§nobody.${kind}§`, `§admin.${kind}§`, "§missing§")

const valueOf = (name: string, isForAdmins: boolean): FastCheck.Arbitrary<string> | undefined => {
  if (name === "botId" || name === "botid") return owned("bot", isForAdmins)
  if (name === "chatId" || name === "chatid") return owned("chat", isForAdmins)
  return Object.hasOwn(meant, name) ? meant[name] : undefined
}

const plainText = FastCheck.oneof(
  oneOf("A name", "Ein Name", "Some text of a few words.", "x"),
  FastCheck.lorem({ maxCount: 8 })
)

/** A value that fits a schema. */
const fits = (schema: Schema, name: string, isForAdmins: boolean): FastCheck.Arbitrary<Json> => {
  if (schema.$ref !== undefined) return fits(schemas[schema.$ref.split("/").at(-1) ?? ""] ?? {}, name, isForAdmins)
  if (schema.anyOf !== undefined) {
    return FastCheck.oneof(
      ...schema.anyOf.map((one) => ({ weight: one.type === "null" ? 1 : 3, arbitrary: fits(one, name, isForAdmins) }))
    )
  }
  if (schema.enum !== undefined) return FastCheck.constantFrom(...schema.enum)
  switch (schema.type) {
    case "null":
      return FastCheck.constant(null)
    case "boolean":
      return FastCheck.boolean()
    case "integer":
      return name === "status"
        ? FastCheck.integer({ min: 0, max: 2 })
        : FastCheck.oneof(oneOf(-1, 0, 1, 7), FastCheck.integer())
    case "number":
      return FastCheck.double({ min: 0, max: 2, noNaN: true })
    case "array":
      return FastCheck.array(fits(schema.items ?? {}, name, isForAdmins), { maxLength: 3 })
    case "object": {
      const properties = schema.properties ?? {}
      return FastCheck.record(
        Object.fromEntries(
          Object.entries(properties).map(([name, property]) => [name, fits(property, name, isForAdmins)])
        ),
        { requiredKeys: [...(schema.required ?? [])] }
      )
    }
    default:
      if (schema.format === "date-time") return oneOf("2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00+02:00")
      return valueOf(name, isForAdmins) ?? plainText
  }
}

/** The same value, with another one in one place. */
const put = (value: { readonly [key: string]: Json }, key: string, next: Json): Json => ({ ...value, [key]: next })

const isObject = (value: Json): value is { readonly [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** A value with something nasty somewhere in it. */
const spoil = (value: Json): FastCheck.Arbitrary<Json> => {
  if (!isObject(value)) return nastyValue
  const entries = Object.entries(value)
  const replaced = entries.map(([key, inner]) => spoil(inner).map((next) => put(value, key, next)))
  const without = entries.map(([key]) =>
    FastCheck.constant<Json>(Object.fromEntries(entries.filter(([other]) => other !== key)))
  )
  const added = FastCheck.tuple(nastyText, nastyValue).map(([key, next]) => put(value, key, next))
  return FastCheck.oneof(
    { weight: 8, arbitrary: entries.length === 0 ? nastyValue : FastCheck.oneof(...replaced) },
    { weight: 2, arbitrary: entries.length === 0 ? nastyValue : FastCheck.oneof(...without) },
    { weight: 1, arbitrary: added },
    { weight: 1, arbitrary: nastyValue }
  )
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

const join = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => Buffer.concat(parts)

/** What may be wrong with a body as a text. */
const spoiledBody = (text: string): FastCheck.Arbitrary<Uint8Array> =>
  FastCheck.oneof(
    FastCheck.nat({ max: text.length }).map((length) => bytes(text.slice(0, length))),
    FastCheck.tuple(FastCheck.nat({ max: text.length }), FastCheck.uint8Array({ minLength: 1, maxLength: 8 })).map(
      ([at, noise]) => join(bytes(text.slice(0, at)), noise, bytes(text.slice(at)))
    ),
    oneOf<Array<() => Uint8Array>>(
      () => bytes(""),
      () => bytes(" \n"),
      () => bytes("null"),
      () => bytes("[]"),
      () => bytes('""'),
      () => bytes("0"),
      () => bytes("{}"),
      () => bytes(`\ufeff${text}`),
      () => bytes(`${text}${text}`),
      () => bytes(`${text}//`),
      () => bytes(text.replaceAll('"', "'")),
      // A key that stands there twice, and others that an object should not have.
      () => bytes(text.replace("{", '{"displayName":1,"userMessage":2,')),
      () => bytes(text.replace("{", '{"__proto__":{"isActive":true},"constructor":null,')),
      () => bytes(text.replace(/"[^"]*"(?=[,}])/, '"\\ud800"')),
      () => bytes(text.replace(/"[^"]*"(?=[,}])/, '"\\u0000"')),
      () => bytes(text.replace(/"[^"]*"(?=[,}])/, "1e999")),
      () => bytes(text.replace(/"[^"]*"(?=[,}])/, "-")),
      () => bytes(text.replace(/"[^"]*"(?=[,}])/, "01")),
      () => bytes(text.replace(/"[^"]*"(?=[,}])/, '"\t"')),
      () => bytes(text.replace(/"[^"]*"(?=[,}])/, "NaN")),
      () => bytes("[".repeat(20_000)),
      () => bytes('{"a":'.repeat(20_000)),
      () => bytes(`{"displayName":"${"x".repeat(1_100_000)}"}`),
      () => join(bytes('{"displayName":"'), new Uint8Array([0xff, 0xfe, 0xc0, 0xaf]), bytes('"}')),
      () => join(bytes('{"botCode":"'), new Uint8Array([0xed, 0xa0, 0x80]), bytes('"}')),
      () => new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]),
      () => Buffer.from(text, "utf16le")
    ).map((make) => make())
  )

/** A text for a URL; Node.js takes none whose head is longer than 16 KiB. */
const urlText = (text: string) => encodeURIComponent(text.toWellFormed()).slice(0, 3_000)

const encoded = FastCheck.oneof(
  { weight: 4, arbitrary: nastyText.map(urlText) },
  {
    weight: 2,
    arbitrary: oneOf(
      "%",
      "%zz",
      "%ff",
      "%c0%ae",
      "%ed%a0%80",
      "%25",
      "..",
      ".",
      "%2f",
      "%5c",
      "*",
      ":",
      "@",
      "~",
      "a;b=c"
    )
  }
)

/** Mostly the right one, and else one of the others. */
const mostly = <A>(weight: number, right: FastCheck.Arbitrary<A>, ...others: ReadonlyArray<FastCheck.Arbitrary<A>>) =>
  FastCheck.oneof({ weight, arbitrary: right }, ...others.map((arbitrary) => ({ weight: 1, arbitrary })))

type Header = readonly [name: string, value: string]

const tokens = (access: Operation["x-access"]): FastCheck.Arbitrary<ReadonlyArray<Header>> => {
  const bearer = (value: string): ReadonlyArray<Header> => [["authorization", value]]
  const [admin, user] = [bearer("Bearer §admin.token§"), bearer("Bearer §user.token§")]
  const nobody: ReadonlyArray<Header> = []
  const right =
    access === "Admin"
      ? oneOf(admin)
      : access === "User"
        ? oneOf(user, user, user, admin)
        : oneOf(user, user, nobody, admin)
  return mostly(
    12,
    right,
    oneOf(admin, user, nobody),
    oneOf(
      [
        "Bearer ",
        "Bearer nothing",
        "bearer §user.token§",
        "Bearer  §user.token§",
        "Basic YTpi",
        "§user.token§",
        "",
        "Bearer a.b.c"
      ].map(bearer)
    ).chain((several) => FastCheck.constantFrom(...several))
  )
}

const ids = oneOf("§new§", "§new§", "same-1", "same-2", '"quoted"', '"', "", "a b", "x".repeat(300), "ü")

const extras: FastCheck.Arbitrary<ReadonlyArray<Header>> = mostly(
  6,
  FastCheck.constant<ReadonlyArray<Header>>([]),
  FastCheck.tuple(oneOf("idempotency-key"), ids).map((header): ReadonlyArray<Header> => [header]),
  FastCheck.tuple(
    oneOf("accept"),
    oneOf(
      "text/event-stream",
      "text/plain",
      "application/json",
      "*/*",
      "image/*;q=0.1",
      ";;;q=",
      "text/event-stream;q=nonsense",
      "a".repeat(4000)
    )
  ).map((header): ReadonlyArray<Header> => [header]),
  FastCheck.tuple(oneOf("last-event-id"), oneOf("0", "1", "2", "999999999", "-1", "1.5", "x", "")).map(
    (header): ReadonlyArray<Header> => [header]
  ),
  FastCheck.tuple(
    oneOf("range"),
    oneOf(
      "bytes=0-0",
      "bytes=5-",
      "bytes=-5",
      "bytes=9999999-",
      "bytes=0-1,3-4",
      "bytes=x",
      "bytes=-0",
      "bytes=99999999999999999999-"
    )
  ).map((header): ReadonlyArray<Header> => [header]),
  oneOf<Array<ReadonlyArray<Header>>>(
    [["if-none-match", "*"]],
    [["if-none-match", '"x", W/"y"']],
    [["if-range", "nonsense"]],
    [["x-request-id", "a b<script>"]],
    [["x-request-id", "x".repeat(500)]],
    [["accept-language", "de;q=1"]],
    [["accept-encoding", "gzip, br"]],
    [["content-encoding", "gzip"]],
    [["expect", "100-continue"]],
    [["cookie", "a=b; __proto__=c"]],
    [["traceparent", "00-nonsense-01"]],
    [["traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"]],
    [["b3", "x"]],
    [["x-http-method-override", "DELETE"]],
    [["x-forwarded-for", "127.0.0.1"]],
    [["upgrade", "h2c"]],
    [["origin", "https://evil.example.org"]]
  )
)

const contentTypes = mostly(
  12,
  oneOf("application/json", "application/json", "text/json", "application/*+json", "application/json; charset=utf-8"),
  oneOf(
    "text/plain",
    "application/xml",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded",
    "application/octet-stream",
    "application/json; charset=utf-16",
    "application/json;;",
    "json",
    "",
    "application/problem+json",
    "x".repeat(2000)
  )
)

const methods = oneOf("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "QUERY")

/** What no client of HTTP would send: the request as a text of one byte a character. */
const wire = (
  method: string,
  path: string,
  headers: ReadonlyArray<Header>,
  body: Uint8Array | undefined
): FastCheck.Arbitrary<Uint8Array> => {
  const lines = [`host: localhost`, ...headers.map(([name, value]) => `${name}: ${value}`)]
  const text = Buffer.from(body ?? []).toString("latin1")
  const request = (line: string, ...more: ReadonlyArray<string>) =>
    Buffer.from(`${[line, ...lines, ...more].join("\r\n")}\r\n\r\n${text}`, "latin1")
  const line = `${method} ${path} HTTP/1.1`
  return oneOf<Array<() => Uint8Array>>(
    () => request(line, `content-length: ${text.length + 10}`),
    () => request(line, `content-length: ${Math.max(0, text.length - 3)}`),
    () => request(line, "content-length: -1"),
    () => request(line, "content-length: 5", "content-length: 6"),
    () => request(line, "content-length: 99999999999999999999"),
    () => request(line, "content-length: 1e3"),
    () => request(line, "transfer-encoding: chunked"),
    () => request(line, "transfer-encoding: chunked", "content-length: 3"),
    () => request(line, "transfer-encoding: gzip, chunked"),
    () => request(line, "transfer-encoding: nonsense"),
    () => request(`${line}`, "x-bad header: 1"),
    () => request(line, "x: \u0000"),
    () => request(line, ": empty"),
    () => request(line, `x-long: ${"x".repeat(20_000)}`),
    () => request(line, ...Array.from({ length: 300 }, (_, index) => `x-${index}: 1`)),
    () => request(`${method} ${path} HTTP/9.9`),
    () => request(`${method} ${path}`),
    () => request(`${method.toLowerCase()} ${path} HTTP/1.1`),
    () => request(`FOO ${path} HTTP/1.1`),
    () => request(`${method} http://localhost${path} HTTP/1.1`),
    () => request(`${method} //evil.example.org${path} HTTP/1.1`),
    () => request(`${method} ${path}\u0000 HTTP/1.1`),
    () => request(`${method} ${path} ${path} HTTP/1.1`),
    () => request(`${method} ${path}${"/x".repeat(9_000)} HTTP/1.1`),
    () => request(`${method} * HTTP/1.1`),
    () => request(`CONNECT localhost:80 HTTP/1.1`),
    () => request(line).subarray(0, 40),
    () => Buffer.from("\r\n\r\n"),
    () => Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]),
    () => Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
  ).map((make) => make())
}

/** The same, on a connection of its own. */
const raw = (request: FuzzRequest, body: Uint8Array): FuzzRequest => ({
  ...request,
  isRouted: false,
  isWire: true,
  body
})

const withRequest = ({ method, operation, path }: (typeof operations)[number]): FastCheck.Arbitrary<FuzzRequest> => {
  const isForAdmins = operation["x-access"] === "Admin"
  const parameters = (place: string) => operation.parameters.filter((parameter) => parameter.in === place)
  const schema = operation.requestBody?.content["application/json"]?.schema

  const pathOf: FastCheck.Arbitrary<string> = FastCheck.tuple(
    ...parameters("path").map(({ name, schema }) => {
      const right = fits(schema, name, isForAdmins).map((value) => [name, String(value)] as const)
      return mostly(
        12,
        right,
        encoded.map((value) => [name, value] as const)
      )
    })
  ).map((values) => values.reduce((path, [name, value]) => path.replace(`{${name}}`, value), path))

  const query: FastCheck.Arbitrary<string> = FastCheck.subarray(parameters("query")).chain((chosen) =>
    FastCheck.tuple(
      ...chosen.map(({ name, schema }) =>
        FastCheck.tuple(
          mostly(9, FastCheck.constant(name), oneOf(name.toUpperCase(), name.toLowerCase())),
          mostly(
            9,
            fits(schema, name, isForAdmins).map((value) => encodeURIComponent(String(value)).replaceAll("%C2%A7", "§")),
            encoded
          )
        )
      ),
      mostly<Header>(15, FastCheck.constant(["", ""]), FastCheck.tuple(encoded, encoded))
    ).map((pairs) => {
      const text = pairs.flatMap(([name, value]) => (name === "" ? [] : [`${name}=${value}`])).join("&")
      return text === "" ? "" : `?${text}`
    })
  )

  const body: FastCheck.Arbitrary<Uint8Array | undefined> =
    schema === undefined
      ? mostly(20, FastCheck.constant(undefined), oneOf(bytes("{}"), bytes("nonsense")))
      : fits(schema, "", isForAdmins).chain((value) =>
          mostly(
            3,
            FastCheck.constant(bytes(JSON.stringify(value))),
            spoil(value).map((spoiled) => bytes(JSON.stringify(spoiled))),
            spoiledBody(JSON.stringify(value))
          )
        )

  return FastCheck.record({
    token: tokens(operation["x-access"]),
    extra: extras,
    path: pathOf,
    query,
    body,
    contentType: contentTypes,
    detour: FastCheck.nat({ max: 99 }),
    otherMethod: methods,
    tail: encoded
  }).chain(({ body, contentType, detour, extra, otherMethod, path, query, tail, token }) => {
    const headers: ReadonlyArray<Header> = [
      ...token,
      ...(body === undefined ? [] : [["content-type", contentType] as const]),
      ...extra
    ]
    const plain: FuzzRequest = {
      operation: operation.operationId,
      isRouted: true,
      method,
      path: path + query,
      headers,
      body,
      isWire: false
    }
    if (detour < 88) return FastCheck.constant(plain)
    if (detour < 91) return FastCheck.constant({ ...plain, isRouted: false, method: otherMethod })
    if (detour < 94) return FastCheck.constant({ ...plain, isRouted: false, path: `${path}/${tail}${query}` })
    if (detour < 96)
      return FastCheck.constant({
        ...plain,
        isRouted: false,
        path: path.replaceAll(/\/[a-z]+(?=\/|$)/gi, (segment) => segment.toUpperCase()) + query
      })
    if (detour < 97) return FastCheck.constant({ ...plain, isRouted: false, path: path.replaceAll("/", "//") + query })
    return wire(method, path + query, headers, body).map((bytes) => raw(plain, bytes))
  })
}

/** A request for any of the operations. */
export const request: FastCheck.Arbitrary<FuzzRequest> = FastCheck.oneof(...operations.map(withRequest))
