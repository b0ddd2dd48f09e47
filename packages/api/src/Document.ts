/**
 * The contract as an OpenAPI document, in a module of its own because a client has no need of it.
 */
import * as OpenApi from "effect/http-api/OpenApi"
import { Api } from "./Api.ts"
import { transformDocument } from "./internal/document.ts"

/** The OpenAPI 3.1 document of the contract. */
export const document: OpenApi.OpenAPISpec = transformDocument(OpenApi.fromApi(Api))
