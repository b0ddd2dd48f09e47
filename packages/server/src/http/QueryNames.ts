/**
 * The names of the queries of the contract. ASP.NET matches them in any case, and so does this backend.
 */
import { Api } from "@effect-chatbot/api/Api"
import * as SchemaAST from "effect/SchemaAST"

const names = new Map<string, string>()
for (const group of Object.values(Api.groups)) {
  for (const endpoint of Object.values(group.endpoints)) {
    const ast = endpoint.query === undefined ? undefined : SchemaAST.toEncoded(endpoint.query.ast)
    if (ast?._tag !== "Objects") continue
    for (const { name } of ast.propertySignatures) names.set(String(name).toLowerCase(), String(name))
  }
}

/** Whether the contract has a query of this name. */
export const isKnown = (name: string): boolean => names.has(name.toLowerCase())

/** A name as the contract spells it; one that it does not know, as it is. */
export const canonical = (name: string): string => names.get(name.toLowerCase()) ?? name
