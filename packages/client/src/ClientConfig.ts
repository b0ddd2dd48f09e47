/**
 * Where the backend is and who calls.
 */
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"

/** Where the backend is and who calls, as a program states it. */
export interface ClientOptions {
  /** An http or https URL, such as `https://example.org/chatbot`; it may have a path, which stands before those of the contract. */
  readonly baseUrl: string | URL
  /** The bearer token; absent or empty for a caller without one. */
  readonly token?: string | Redacted.Redacted | undefined
}

const isBaseUrl = (text: string): boolean => {
  const url = URL.parse(text)
  return (
    url !== null && /^https?:$/.test(url.protocol) && `${url.username}${url.password}${url.search}${url.hash}` === ""
  )
}

/** Written without a slash at its end, so that a path can follow. */
const BaseUrl = Schema.String.check(
  Schema.makeFilter(isBaseUrl, { expected: "an http or https URL without credentials, query and fragment" })
).pipe(
  Schema.decodeTo(Schema.String, {
    decode: SchemaGetter.transform((text) => {
      const url = new URL(text)
      return url.origin + url.pathname.replace(/\/+$/, "")
    }),
    encode: SchemaGetter.passthrough()
  })
)

/** A token out of a file or a variable often has a line break at its end. */
const Token = Schema.Trim.check(
  // Anything else cannot be sent in a header, and a transport may quote it in its complaint.
  Schema.isPattern(/^[\x21-\x7e]*$/, { expected: "a token of visible ASCII characters" })
).pipe(Schema.RedactedFromValue)

const make = (options: { readonly baseUrl: string; readonly token: Option.Option<Redacted.Redacted> }) => ({
  baseUrl: options.baseUrl,
  token: Option.filter(options.token, (token) => Redacted.value(token) !== "")
})

const decode = Schema.decodeEffect(Schema.Struct({ baseUrl: BaseUrl, token: Schema.OptionFromOptional(Token) }))

/** Where the backend is and who calls. */
export class ClientConfig extends Context.Service<
  ClientConfig,
  {
    /** Without a slash at its end. */
    readonly baseUrl: string
    readonly token: Option.Option<Redacted.Redacted>
  }
>()("@effect-chatbot/client/ClientConfig") {
  /** From values. Fails with a `ConfigError` that names what is wrong, without the value. */
  static readonly layer = (options: ClientOptions): Layer.Layer<ClientConfig, Config.ConfigError> =>
    decode({
      baseUrl: String(options.baseUrl),
      token: Redacted.isRedacted(options.token) ? Redacted.value(options.token) : options.token
    }).pipe(
      Effect.mapBoth({ onFailure: (error) => new Config.ConfigError(error), onSuccess: make }),
      Layer.effect(ClientConfig)
    )

  /** From `CHATBOT_BASE_URL` (`http://127.0.0.1:8080` by default) and `CHATBOT_TOKEN` (none by default). */
  static readonly layerConfig: Layer.Layer<ClientConfig, Config.ConfigError> = Config.all({
    baseUrl: Config.schema(BaseUrl, "CHATBOT_BASE_URL").pipe(Config.withDefault("http://127.0.0.1:8080")),
    token: Config.option(Config.schema(Token, "CHATBOT_TOKEN"))
  }).pipe(Effect.map(make), Layer.effect(ClientConfig))
}
