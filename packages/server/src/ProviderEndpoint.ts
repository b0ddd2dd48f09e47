/**
 * The endpoint of an OpenAI service: which URLs may be one, and where its chat completions are.
 *
 * What kind of service it is follows from the URL. One of Azure is told by its host, by a path of deployments, or by an `api-version`; any
 * other is spoken to as OpenAI is: OpenAI itself, Ollama, vLLM, llama.cpp, LM Studio and their like.
 *
 * | endpoint                                                     | chat completions                                          |
 * | ------------------------------------------------------------ | --------------------------------------------------------- |
 * | `http://localhost:11434`                                     | `/v1/chat/completions`                                    |
 * | `https://api.openai.com/v1`                                  | `/v1/chat/completions`                                    |
 * | `https://NAME.openai.azure.com`                              | `/openai/deployments/{model}/chat/completions`            |
 * | `https://NAME.openai.azure.com/openai/deployments/mine`      | `/openai/deployments/mine/chat/completions`               |
 * | `https://NAME.openai.azure.com/openai/v1`                    | `/openai/v1/chat/completions`                             |
 *
 * A path that ends with `/chat/completions` is taken as it is, and a query is kept.
 */
import * as Result from "effect/Result"
import { isRefusedHost } from "./internal/metadataAddresses.ts"

/** The endpoint of an OpenAI service. */
export interface ProviderEndpoint {
  /** Azure takes its key in a header of its own, and names a version of the API in the URL. */
  readonly kind: "openai" | "azure"
  readonly url: string
}

/** The version of the API of Azure that is spoken where the endpoint names none. */
export const azureApiVersion = "2024-10-21"

const azureHost = /\.(?:openai|cognitiveservices|services\.ai)\.azure\.(?:com|us|cn)$/

const deployments = /\/openai\/deployments(?:\/|$)/

/** Reads an endpoint. Fails with what is expected instead. */
export const parse = (
  text: string,
  options: { readonly allowLinkLocal: boolean }
): Result.Result<ProviderEndpoint, string> => {
  const url = URL.parse(text.trim())
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) {
    return Result.fail("Expected an http or https URL")
  }
  if (url.username !== "" || url.password !== "") {
    return Result.fail("Expected a URL without a user and a password: the key has a field of its own")
  }
  if (!options.allowLinkLocal && isRefusedHost(url.hostname)) {
    return Result.fail(
      "Expected a host that is no link-local address and no metadata service, which CHATBOT_ALLOW_LINK_LOCAL_PROVIDERS would allow"
    )
  }
  url.hash = ""
  const isAzure = azureHost.test(url.hostname) || deployments.test(url.pathname) || url.searchParams.has("api-version")
  return Result.succeed({ kind: isAzure ? "azure" : "openai", url: url.href })
}

const azurePath = (path: string, model: string): string => {
  if (/\/v\d+$/.test(path) || /\/openai\/deployments\/[^/]+$/.test(path)) return `${path}/chat/completions`
  const base = path.replace(/\/openai(?:\/deployments)?$/, "")
  return `${base}/openai/deployments/${encodeURIComponent(model)}/chat/completions`
}

/** The URL of the chat completions of a model, or of a deployment of that name. */
export const chatCompletions = ({ kind, url: endpoint }: ProviderEndpoint, model: string): string => {
  const url = new URL(endpoint)
  const path = url.pathname.replace(/\/+$/, "")
  if (!path.endsWith("/chat/completions")) {
    url.pathname = kind === "azure" ? azurePath(path, model) : `${path === "" ? "/v1" : path}/chat/completions`
  }
  if (deployments.test(url.pathname) && !url.searchParams.has("api-version")) {
    url.searchParams.set("api-version", azureApiVersion)
  }
  return url.href
}
